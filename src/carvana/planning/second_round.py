"""The plan of pseudo-labels: who teaches whom, from where on, and where what is made of it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from carvana.catalogue import second_round
from carvana.errors import UserError
from carvana.planning.options import option
from carvana.planning.origins import Origins
from carvana.planning.run import Run
from carvana.recipe import PseudoLabels

ENSEMBLE: Final = "ensemble"


@dataclass(frozen=True)
class SecondRound:
    """The configuration's section `pseudo_labels`, and what follows from it: one second round, or none.

    Attributes:
        run: the run.
        origins: where its networks come from.
    """

    run: Run
    origins: Origins

    @cached_property
    def second(self) -> str | None:
        """The model that this run trains on pseudo-labels, if it does. Raises UserError: the edition has several."""
        model = second_round(self.run.edition)
        return model if model in self.run.models and not self.origins.is_imported(model) else None

    @property
    def first(self) -> str | None:
        """The model of the first round, if there is a second."""
        return self.labels.first_round if self.second else None

    @property
    def labels(self) -> PseudoLabels:
        """The section of the second round's recipe. There is a second round."""
        assert self.second is not None
        section = self.run.recipe(self.second).pseudo_labels
        assert section is not None
        return section

    @property
    def by_ensemble(self) -> bool:
        """Whether the first round's ensemble is the teacher, and not each fold's own network."""
        return bool(self.run.config["pseudo_labels"]["teacher"] == ENSEMBLE)

    def check(self) -> None:
        """Stop where a second round is asked for that there cannot be.

        Raises:
            UserError: the edition has several, the ensemble is to teach and members are missing, or the first round has
                some networks only.
        """
        if self.first is None:
            return
        if self.by_ensemble and not self.run.ensembles:
            raise UserError("pseudo_labels.teacher: the ensemble can teach only where all members are there")
        if self.origins.some_folds(self.first) is not None:
            raise UserError(
                f"released.folds.{self.first}: {self.second} is trained on what each fold's network of {self.first}"
                f" says, so all of them are needed; have {self.second} released too, or edition: released"
            )

    @property
    def folder(self) -> Path:
        """Where everything of it lies."""
        return self.run.results / "pseudo_labels"

    @property
    def precondition(self) -> str:
        """The file that says whether the first round is good enough."""
        return str(self.folder / "precondition.json")

    def first_masks(self, masks_folder: str) -> str:
        """The out-of-fold masks that the precondition is judged by.

        Args:
            masks_folder: of the first round's model.
        """
        return str(
            self.folder / "ensemble/masks/train.csv"
            if self.by_ensemble
            else self.run.results / f"masks/{masks_folder}/train.csv"
        )

    def precondition_arguments(self) -> str:
        """The arguments of precondition.py."""
        given = self.run.config["pseudo_labels"]
        needed = given["precondition"]
        if needed is None:
            needed = self.labels.precondition
        accept = [option("accept-below")] if given["accept_below"] else []
        return " ".join([option("teacher", given["teacher"]), option("needed", needed), *accept])

    def teacher(self, fold: int) -> Path:
        """The folder of what teaches a fold's second round."""
        return self.folder / (ENSEMBLE if self.by_ensemble else f"fold{fold}")

    def teachers(self, folds: Sequence[int]) -> list[Path]:
        """The folders of all that teach these folds, each once."""
        return list(dict.fromkeys(self.teacher(fold) for fold in folds))

    def candidates(self, teacher: str) -> list[str]:
        """The teacher's tables of the test images."""
        return [str(self.folder / teacher / f"{part}.csv") for part in self.run.test_parts]

    def manifest(self, model: str, fold: int) -> list[str]:
        """The manifest of pseudo-labelled images that the second round also trains on; none for other models."""
        return [str(self.teacher(fold) / "manifest.csv")] if model == self.second else []

    def training_argument(self, model: str, fold: int) -> str:
        """The argument of train.py that adds them."""
        return " ".join(option("pseudo-labels", path) for path in self.manifest(model, fold))

    def unclear_argument(self) -> str:
        """The argument of teachers that says which levels are unclear."""
        return option("unclear", *self.labels.unclear)

    def choice_arguments(self) -> str:
        """The arguments of pseudo_labels.py that say how many cars to choose."""
        cars = self.run.config["pseudo_labels"]["cars"]
        return " ".join([option("ratio", self.labels.car_ratio), *([option("cars", cars)] if cars else [])])

    def notes(self, models: Sequence[str]) -> list[str]:
        """What every table must say of scores that these models have a part in."""
        if not self.by_ensemble or self.second not in models:
            return []
        return [f"{self.second}: contaminated out of fold, its teachers have seen the cars that it is judged by"]
