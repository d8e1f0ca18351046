"""The rows of the score table: whose masks they are of, and what a reader must know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from carvana.catalogue import SUBMISSIONS, merged_models, models_of
from carvana.planning.options import option
from carvana.planning.plan import Plan

BASELINES: Final = ("mean_mask", "colour_threshold")


@dataclass(frozen=True)
class Row:
    """One row: its masks are masks/<masks>/<part>.csv, for each of `parts`.

    Attributes:
        level: of the row.
        name: likewise.
        masks: folder of its tables of masks.
        parts: of the images.
        models: whose networks have a part in it.
    """

    level: str
    name: str
    masks: str
    parts: tuple[str, ...]
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scoring:
    """The score table of a run."""

    plan: Plan

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the images that have a truth: test images where they are drawn."""
        return ("train", *self.plan.test_parts) if self.plan.synthetic else ("train",)

    def baseline_masks(self, name: str) -> list[str]:
        """The tables of masks that a baseline writes."""
        return [str(self.plan.results / f"masks/{name}/{part}.csv") for part in self._baseline_parts]

    @property
    def _baseline_parts(self) -> tuple[str, ...]:
        return ("train", "test") if self.plan.synthetic else ("train",)

    def rows(self) -> list[Row]:
        """All rows, from the baselines to the ensemble."""
        plan, edition, parts = self.plan, self.plan.edition, self.parts
        merged = {recipe: merged_models(recipe, edition) for recipe in plan.recipes}
        members = [(name, recipe) for name, recipe in SUBMISSIONS.items() if recipe in plan.recipes]
        everything = tuple(model for models in merged.values() for model in models)
        return [
            *(Row("baseline", name, name, self._baseline_parts) for name in BASELINES),
            *(
                Row("model", model, plan.maps.masks_folder(model), parts, (model,))
                for recipe in plan.recipes
                for model in models_of(recipe, edition)
            ),
            *(Row("recipe", recipe, recipe, parts, merged[recipe]) for recipe in plan.recipes),
            *(Row("member", name, recipe, parts, merged[recipe]) for name, recipe in members),
            *([Row("ensemble", "ensemble", "ensemble", parts, everything)] if plan.ensembles else []),
        ]

    def masks(self) -> list[str]:
        """Every table of masks that the score table needs."""
        paths = (str(self.plan.results / f"masks/{row.masks}/{part}.csv") for row in self.rows() for part in row.parts)
        return list(dict.fromkeys(paths))

    def arguments(self) -> str:
        """The --entry arguments of score.py, one for every row, and its --solution."""
        arguments = [self._entry(row) for row in self.rows()]
        if self.plan.synthetic:
            arguments.append(option("solution", self.plan.competition.folder / "solution.csv"))
        return " ".join(arguments)

    def _entry(self, row: Row) -> str:
        folder = self.plan.results / "masks" / row.masks
        test = ",".join(str(folder / f"{part}.csv") for part in row.parts[1:]) or "-"
        kind = "partial" if self.plan.networks.partial(row.models) else "entry"
        return option(kind, row.level, row.name, folder / "train.csv", test, *self.notes(row.models))

    def notes(self, models: Sequence[str]) -> list[str]:
        """What must be said of scores that these models have a part in."""
        begun = [model for model in models if self.plan.recipe(model).network.encoder]
        trained_here = any(not self.plan.origins.released(model) for model in begun)
        notes = ["encoder from random weights"] if self.plan.random_encoders and trained_here else []
        notes += self.plan.origins.notes(models, self.plan.folds.number_by_model)
        return notes + self.plan.second_round.notes(models) + self._shortened(models)

    def _shortened(self, models: Sequence[str]) -> list[str]:
        """What the configuration makes of the recipes' trainings, for a small run."""
        notes = []
        for model in models:
            if self.plan.origins.released(model):
                continue
            recipe, trainings = self.plan.recipe(model), self.plan.trainings
            own = recipe.training
            if (epochs := trainings.epochs(model)) != own.epochs:
                notes.append(f"{recipe.recipe}: {epochs} of {own.epochs} epochs")
            if (images := trainings.images_per_step(model)) != own.images_per_step:
                notes.append(f"{recipe.recipe}: a step for every {images} of {own.images_per_step} images")
        return list(dict.fromkeys(notes))
