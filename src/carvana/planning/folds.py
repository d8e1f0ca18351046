"""How the training cars are divided into folds."""

from __future__ import annotations

from dataclasses import dataclass

from carvana.errors import UserError
from carvana.planning.options import option
from carvana.planning.run import Run
from carvana.recipe_files import load_recipe, model_names


@dataclass(frozen=True)
class FoldSchemes:
    """The authors' fold schemes, in as many folds as the run has."""

    run: Run

    def of(self, model: str) -> str:
        """The fold scheme of a model."""
        return self.run.recipe(model).folds.scheme

    @property
    def used(self) -> tuple[str, ...]:
        """The fold schemes of the run's models, each once."""
        return tuple(dict.fromkeys(self.of(model) for model in self.run.models))

    def table(self, model: str, fold: int) -> str:
        """The table of folds that a network is trained by. Raises UserError: its model has no such fold."""
        last = self.number(self.of(model)) - 1
        if fold > last:
            raise UserError(f"{model} has no fold {fold}; it has 0 to {last}")
        return self._table(self.of(model))

    def _table(self, scheme: str) -> str:
        return str(self.run.results / f"folds/{scheme}.csv")

    def tables(self) -> list[str]:
        """The tables of folds, in the order of `used`."""
        return [self._table(scheme) for scheme in self.used]

    def table_arguments(self) -> str:
        """The --folds arguments of pack_weights.py."""
        pairs = zip(self.used, self.tables(), strict=True)
        return " ".join(option("folds", scheme, table) for scheme, table in pairs)

    def number(self, scheme: str) -> int:
        """How many folds the scheme is cut into: the authors', or as many as a small run asks for."""
        return int(self.run.config["folds"] or _authors_number(scheme))

    @property
    def number_by_model(self) -> dict[str, int]:
        """How many folds each model of the edition has."""
        return {model: self.number(self.of(model)) for model in model_names(edition=self.run.edition)}

    def authors_digest(self, scheme: str) -> str:
        """The digest of the authors' folds, where a run insists on these; otherwise empty."""
        if not self.run.config["data"]["expect_published"] or self.number(scheme) != _authors_number(scheme):
            return ""
        digest: str = self.run.published["fold_digests"][scheme]
        return digest

    def digest_argument(self, scheme: str) -> str:
        """The argument of folds.py that makes it insist on the authors' folds."""
        digest = self.authors_digest(scheme)
        return option("expected-digest", digest) if digest else ""


def _authors_number(scheme: str) -> int:
    recipes = (load_recipe(model) for model in model_names())
    return next(recipe.folds.count for recipe in recipes if recipe.folds.scheme == scheme)
