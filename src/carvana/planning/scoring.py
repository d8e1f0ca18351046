"""The rows of the score table, and whose masks they are of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from carvana.catalogue import SUBMISSIONS, merged_models, models_of
from carvana.planning.competition import Competition
from carvana.planning.maps import Maps
from carvana.planning.networks import Networks
from carvana.planning.notes import Notes
from carvana.planning.options import option
from carvana.planning.run import Run

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
    """The score table of a run.

    Attributes:
        run: the run.
        competition: the files that it begins with.
        networks: its networks.
        maps: their maps and masks.
        notes: what is said of them.
    """

    run: Run
    competition: Competition
    networks: Networks
    maps: Maps
    notes: Notes

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the images that have a truth: test images where they are drawn."""
        return ("train", *self.run.test_parts) if self.run.synthetic else ("train",)

    def baseline_masks(self, name: str) -> list[str]:
        """The tables of masks that a baseline writes."""
        return [str(self.run.results / f"masks/{name}/{part}.csv") for part in self._baseline_parts]

    @property
    def _baseline_parts(self) -> tuple[str, ...]:
        return ("train", "test") if self.run.synthetic else ("train",)

    def rows(self) -> list[Row]:
        """All rows, from the baselines to the ensemble."""
        run, edition, parts = self.run, self.run.edition, self.parts
        merged = {recipe: merged_models(recipe, edition) for recipe in run.recipes}
        members = [(name, recipe) for name, recipe in SUBMISSIONS.items() if recipe in run.recipes]
        return [
            *(Row("baseline", name, name, self._baseline_parts) for name in BASELINES),
            *(
                Row("model", model, self.maps.masks_folder(model), parts, (model,))
                for recipe in run.recipes
                for model in models_of(recipe, edition)
            ),
            *(Row("recipe", recipe, recipe, parts, merged[recipe]) for recipe in run.recipes),
            *(Row("member", name, recipe, parts, merged[recipe]) for name, recipe in members),
            *([Row("ensemble", "ensemble", "ensemble", parts, run.merged)] if run.ensembles else []),
        ]

    def masks(self) -> list[str]:
        """Every table of masks that the score table needs."""
        paths = (str(self.run.results / f"masks/{row.masks}/{part}.csv") for row in self.rows() for part in row.parts)
        return list(dict.fromkeys(paths))

    def arguments(self) -> str:
        """The --entry arguments of score.py, one for every row, and its --solution."""
        arguments = [self._entry(row) for row in self.rows()]
        if self.run.synthetic:
            arguments.append(option("solution", self.competition.folder / "solution.csv"))
        return " ".join(arguments)

    def _entry(self, row: Row) -> str:
        folder = self.run.results / "masks" / row.masks
        test = ",".join(str(folder / f"{part}.csv") for part in row.parts[1:]) or "-"
        kind = "partial" if self.networks.partial(row.models) else "entry"
        return option(kind, row.level, row.name, folder / "train.csv", test, *self.notes.of_scores(row.models))
