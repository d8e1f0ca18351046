"""The networks of a run: which folds' there are, and where their weights lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from carvana.catalogue import MEMBERS, recipe_of
from carvana.errors import UserError
from carvana.planning.folds import FoldSchemes
from carvana.planning.options import option
from carvana.planning.origins import Origins
from carvana.planning.run import Run
from carvana.released.index import file_of


@dataclass(frozen=True)
class Networks:
    """The networks of a run.

    Attributes:
        run: the run.
        schemes: of its folds.
        origins: where its networks come from.
    """

    run: Run
    schemes: FoldSchemes
    origins: Origins

    def folds(self, model: str) -> tuple[int, ...]:
        """The folds that the model has a network of: all, unless some are imported."""
        return self.origins.some_folds(model) or tuple(range(self.schemes.number(self.schemes.of(model))))

    def weights(self, model: str) -> list[str]:
        """The weights of a model's networks, in the order of their folds. Raises UserError: it is not of the run."""
        if model not in self.run.models:
            member = next(name for name, recipes in MEMBERS.items() if recipe_of(model, self.run.edition) in recipes)
            raise UserError(f"{model} is {member}'s, who is left out of `members` in the configuration; add him there")
        return [self.weights_of_fold(model, fold) for fold in self.folds(model)]

    def all_weights(self) -> list[str]:
        """The weights of all networks, model by model."""
        return [path for model in self.run.models for path in self.weights(model)]

    def weights_of_fold(self, model: str, fold: int) -> str:
        """The weights of one network."""
        return str(self.run.results / f"models/{model}/fold{fold}/weights.safetensors")

    def packed_files(self) -> list[str]:
        """The files of weights in the folder that `weights` packs."""
        folder = self.run.results / "weights"
        return [str(folder / file_of(model, fold)) for model in self.run.models for fold in self.folds(model)]

    def partial(self, models: Iterable[str]) -> bool:
        """Whether one of these models has networks of some folds only, so that some images have no out-of-fold map."""
        return any(self.origins.some_folds(model) is not None for model in models)

    def common_argument(self, models: Iterable[str], part: str) -> str:
        """The argument of steps that join maps: only the images that all have, where that is to be expected."""
        return option("common") if part == "train" and self.partial(models) else ""

    def folds_argument(self, model: str) -> str:
        """The argument of validate.py that says which folds an imported model was trained with, where that is known."""
        return self.origins.folds_argument(model, self.schemes.of(model))
