"""How the networks of a run are trained: what the configuration changes, and which go first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from carvana.catalogue import recipe_of
from carvana.errors import UserError
from carvana.planning.cost import gflops_of, priority
from carvana.planning.options import option
from carvana.planning.run import Run
from carvana.planning.second_round import SecondRound

# Above all trainings': for what many jobs wait for, or would run in vain without.
FIRST_OF_ALL: Final = 10**9


@dataclass(frozen=True)
class Trainings:
    """The trainings of a run.

    Attributes:
        run: the run.
        second_round: its plan of pseudo-labels.
    """

    run: Run
    second_round: SecondRound

    def epochs(self, model: str) -> int:
        """The epochs of a training: the recipe's, unless the configuration shortens it."""
        return self._configured("epochs", model) or self.run.recipe(model).training.epochs

    def images_per_step(self, model: str) -> int:
        """The images of an optimisation step: the recipe's, unless the configuration says otherwise."""
        return self._configured("images_per_step", model) or self.run.recipe(model).training.images_per_step

    def _configured(self, name: str, model: str) -> int | None:
        value: int | None = self.run.config[name][recipe_of(model, self.run.edition)]
        return value

    def overrides(self, model: str) -> str:
        """The arguments of train.py that replace values of the recipe, to make a training small."""
        values = {name: self._configured(name, model) for name in ("epochs", "images_per_step")}
        return " ".join(option(name.replace("_", "-"), value) for name, value in values.items() if value)

    def check(self) -> None:
        """Stop where the table of images to leave out is missing. Raises UserError."""
        # Snakemake misses no input of a network that was trained without it.
        if missing := [path for path in self.exclusions() if not Path(path).exists()]:
            raise UserError(f"data.exclude: {missing[0]} is not there; name a table with the columns img and exclude")

    def exclusions(self) -> list[str]:
        """The table of images that are left out of training, if one is named. Raises UserError: it is the run's own."""
        path = self.run.config["data"]["exclude"]
        if path and Path(path).absolute().is_relative_to(self.run.results.absolute()):
            raise UserError(
                f"data.exclude is {path}, which this run makes itself from its images: copy it to another folder, look"
                " at its marks there, and name the copy"
            )
        return [path] if path else []

    def exclusions_argument(self) -> str:
        """The argument of train.py that names it."""
        return " ".join(option("exclude", path) for path in self.exclusions())

    def gpus(self, model: str) -> int:
        """How many GPUs share a training."""
        gpus: int = self.run.config["gpus_per_training"].get(recipe_of(model, self.run.edition), 1)
        return gpus

    def memory_arguments(self, model: str) -> str:
        """The arguments of train.py that ask for large cards, or for less of their memory."""
        recipe = recipe_of(model, self.run.edition)
        gibibytes = self.run.config["gpu_memory"][recipe]
        checkpointing = self.run.config["activation_checkpointing"].get(recipe, False)
        return " ".join(
            [option("gpu-memory", gibibytes)] * bool(gibibytes) + [option("activation-checkpointing")] * checkpointing
        )

    @property
    def save_seconds(self) -> float:
        """From one saved state of a training to the next."""
        return float(self.run.config["save_minutes"]) * 60

    def priority(self, model: str) -> int:
        """Snakemake's priority: longest trainings first, but both pseudo-label rounds' before all others."""
        return self.chain_priority(model) + priority(self.run.recipe(model), gflops_of(self.run.published))

    def chain_priority(self, model: str) -> int:
        """Snakemake's priority of the steps of either pseudo-label round's model: first of all."""
        return FIRST_OF_ALL if model in (self.second_round.first, self.second_round.second) else 0
