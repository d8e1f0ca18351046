"""What a run is verified against: published folds, and bands of repeated runs of the same configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import yaml

from carvana.config import laid_over
from carvana.plan import Plan

# What decides the figures of a run but for chance and rounding: bands hold where these agree.
DECIDING: Final = (
    "geometry",
    "data",
    "edition",
    "weights",
    "released",
    "members",
    "encoder_weights",
    "folds",
    "epochs",
    "images_per_step",
    "pseudo_labels",
)


@dataclass(frozen=True)
class Expectations:
    """The expectations of a run."""

    plan: Plan

    def bands(self) -> str:
        """The bands of repeated runs of this configuration; empty where there are none."""
        repeated = self._repeated()
        same = bool(repeated) and all(repeated[key] == self.plan.config[key] for key in DECIDING)
        return "config/sample_bands.yaml" if same else ""

    def _repeated(self) -> dict[str, Any]:
        """The whole configuration that bands were measured with; empty where there are none."""
        path = self.plan.root / "config" / "sample_bands.yaml"
        if not path.is_file():
            return {}
        base = yaml.safe_load((self.plan.root / "config" / "config.yaml").read_text())
        repeated: dict[str, Any] = laid_over(base, yaml.safe_load(path.read_text())["conditions"]["configuration"])
        return repeated

    def arguments(self) -> str:
        """The arguments of verification.py that say what is expected of folds, weights and figures."""
        plan, arguments = self.plan, []
        for scheme, table in zip(plan.schemes, plan.fold_tables(), strict=True):
            digest = plan.expected_digest(scheme).removeprefix("--expected-digest ")
            arguments.append(f"--scheme {scheme} {table} {plan.number_of_folds(scheme)} {digest}".rstrip())
        for model in plan.models:
            arguments.append(f"--model {model} {' '.join(plan.weights(model))}")
            notes = plan.origins.notes([model], plan.folds_by_model) + plan.second_round.notes([model])
            arguments += [f"--note '{note}'" for note in notes]
        if bands := self.bands():
            arguments.append(f"--bands {bands}")
            precision = self._repeated()["precision"]
            if precision != plan.config["precision"]:
                arguments.append(f"--bands-differ ' (they: {precision}, this run: {plan.config['precision']})'")
        return " ".join(arguments)
