"""Params that make Snakemake run a job again when its code, its recipe's values or the numeric packages change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from carvana.catalogue import merged_models, sections
from carvana.planning.run import Run
from carvana.provenance import code_digest, package_versions, recipe_digest, step_digest

# The parts of a recipe that merging depends on.
MERGING: Final = ("merge", "submission")


class ModelWildcards(Protocol):
    """The wildcards of a rule that makes something for one model."""

    model: str


@dataclass(frozen=True)
class Provenance:
    """What the outputs of a run's scripts are made by."""

    run: Run

    def of(self, script: str) -> dict[str, str]:
        """Params of what `script` makes: the digest of its code and the releases of the numeric packages."""
        return {"code": code_digest(self.run.root / script), "packages": package_versions()}

    def by_model(self, script: str) -> dict[str, str | Callable[[ModelWildcards], str]]:
        """As `of`, for what is made for one model: its recipe's own modules and values count too."""
        wanted = sections(script)

        def code(wildcards: ModelWildcards) -> str:
            return step_digest(self.run.root / script, wildcards.model, self.run.edition)

        def values(wildcards: ModelWildcards) -> str:
            return recipe_digest(wildcards.model, wanted.values, edition=self.run.edition)

        return {"code": code, "recipe_values": values, "packages": package_versions()}

    def of_model(self, script: str, model: str) -> dict[str, str]:
        """As `by_model`, for what is always made for this model."""
        edition = self.run.edition
        code = step_digest(self.run.root / script, model, edition)
        values = recipe_digest(model, sections(script).values, edition=edition)
        return {"code": code, "recipe_values": values, "packages": package_versions()}

    def of_merging(self, recipe: str) -> str:
        """Digest of the recipe's rules of merging its models' maps."""
        return recipe_digest(merged_models(recipe, self.run.edition)[0], MERGING, edition=self.run.edition)
