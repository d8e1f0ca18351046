"""What a reader must know of a run's figures: where its networks come from, and how they were trained otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from carvana.planning.folds import FoldSchemes
from carvana.planning.origins import Origins
from carvana.planning.run import Run
from carvana.planning.second_round import SecondRound
from carvana.planning.trainings import Trainings


@dataclass(frozen=True)
class Notes:
    """The notes of a run.

    Attributes:
        run: the run.
        folds: how its training cars are divided.
        origins: where its networks come from.
        second_round: its plan of pseudo-labels.
        trainings: its trainings.
    """

    run: Run
    folds: FoldSchemes
    origins: Origins
    second_round: SecondRound
    trainings: Trainings

    def of_networks(self, models: Sequence[str]) -> list[str]:
        """What must be said of figures of these models even beside those of runs of the same configuration."""
        return self.origins.notes(models, self.folds.number_by_model) + self.second_round.notes(models)

    def of_scores(self, models: Sequence[str]) -> list[str]:
        """What must be said of scores that these models have a part in."""
        return self._random_encoders(models) + self.of_networks(models) + self._shortened(models)

    def _random_encoders(self, models: Sequence[str]) -> list[str]:
        begun = [model for model in models if self.run.recipe(model).network.encoder]
        trained_here = any(not self.origins.is_imported(model) for model in begun)
        return ["encoder from random weights"] if self.run.random_encoders and trained_here else []

    def _shortened(self, models: Sequence[str]) -> list[str]:
        """What the configuration makes of the recipes' trainings, for a small run."""
        notes = []
        for model in models:
            if self.origins.is_imported(model):
                continue
            recipe = self.run.recipe(model)
            own = recipe.training
            if (epochs := self.trainings.epochs(model)) != own.epochs:
                notes.append(f"{recipe.recipe}: {epochs} of {own.epochs} epochs")
            if (images := self.trainings.images_per_step(model)) != own.images_per_step:
                notes.append(f"{recipe.recipe}: a step for every {images} of {own.images_per_step} images")
        return list(dict.fromkeys(notes))
