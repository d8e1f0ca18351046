"""The plan of pseudo-labels: who teaches whom, from where on, and where what is made of it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from carvana.catalogue import second_rounds
from carvana.errors import UserError
from carvana.planning.options import option
from carvana.planning.origins import Origins
from carvana.planning.run import Run
from carvana.recipe import PseudoLabels

ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class SecondRound:
    """The configuration's section `pseudo_labels`, and what follows from it.

    Attributes:
        run: the run.
        origins: where its networks come from.
    """

    run: Run
    origins: Origins

    @property
    def models(self) -> dict[str, str]:
        """The models that this run trains on pseudo-labels -> the model of their first round."""
        return {
            second: first
            for second, first in second_rounds(self.run.edition).items()
            if second in self.run.models and not self.origins.released(second)
        }

    @property
    def firsts(self) -> tuple[str, ...]:
        """The models of the first round."""
        return tuple(self.models.values())

    @property
    def by_ensemble(self) -> bool:
        """Whether the first round's ensemble is the teacher, and not each fold's own network."""
        return bool(self.run.config["pseudo_labels"]["teacher"] == ENSEMBLE)

    def labels(self, model: str) -> PseudoLabels:
        """The section of the model's recipe. The model is one of a second round."""
        section = self.run.recipe(model).pseudo_labels
        assert section is not None
        return section

    def check(self) -> None:
        """Stop where a second round is asked for that there cannot be.

        Raises:
            UserError: the ensemble is to teach and members are missing, or a first round has some networks only.
        """
        if not self.models:
            return
        if self.by_ensemble and not self.run.ensembles:
            raise UserError("pseudo_labels.teacher: the ensemble can teach only where all members are there")
        for second, first in self.models.items():
            if self.origins.some_folds(first) is not None:
                raise UserError(
                    f"released.folds.{first}: {second} is trained on what each fold's network of {first} says, so all"
                    f" of them are needed; have {second} released too, or edition: released"
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
            needed = next(self.labels(second).precondition for second in self.models)
        accept = [option("accept-below")] if given["accept_below"] else []
        return " ".join([option("teacher", given["teacher"]), option("needed", needed), *accept])

    def teacher(self, fold: int) -> str:
        """The folder of what teaches a fold's second round."""
        return ENSEMBLE if self.by_ensemble else f"fold{fold}"

    def teachers(self, folds: Sequence[int]) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys(self.teacher(fold) for fold in folds))

    def candidates(self, teacher: str) -> list[str]:
        """The teacher's tables of the test images."""
        return [str(self.folder / teacher / f"{part}.csv") for part in self.run.test_parts]

    def manifest(self, model: str, fold: int) -> list[str]:
        """The manifest of the pseudo-labelled images that a training has besides its own; none of another model's."""
        return [str(self.folder / self.teacher(fold) / "manifest.csv")] if model in self.models else []

    def training_argument(self, model: str, fold: int) -> str:
        """The argument of train.py that adds them."""
        return " ".join(option("pseudo-labels", path) for path in self.manifest(model, fold))

    def unclear_arguments(self) -> str:
        """The argument of teachers that says which levels are unclear."""
        levels = next((self.labels(second).unclear for second in self.models), (0, 0))
        return option("unclear", *levels)

    def choice_arguments(self) -> str:
        """The arguments of pseudo_labels.py that say how many cars to choose."""
        cars = self.run.config["pseudo_labels"]["cars"]
        ratio = next((self.labels(second).car_ratio for second in self.models), 1.0)
        return " ".join([option("ratio", ratio), *([option("cars", cars)] if cars else [])])

    def notes(self, models: Sequence[str]) -> list[str]:
        """What every table must say of scores that these models have a part in."""
        if not self.by_ensemble:
            return []
        return [
            f"{second}: contaminated out of fold, its teachers have seen the cars that it is judged by"
            for second in models
            if second in self.models
        ]

    def report_arguments(self, folds: Sequence[int]) -> str:
        """The arguments of report.py that name what it shows."""
        if not self.models:
            return ""
        rounds = [option("second-round", second, first) for second, first in self.models.items()]
        teachers = [option("teacher", self.folder / teacher) for teacher in self.teachers(folds)]
        return " ".join([*rounds, option("precondition", self.precondition), *teachers])

    def report_inputs(self, folds: Sequence[int]) -> list[str]:
        """The files that it reads for that."""
        if not self.models:
            return []
        tables = [str(self.folder / teacher / "labels.csv") for teacher in self.teachers(folds)]
        return [self.precondition, *tables]
