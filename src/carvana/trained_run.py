"""A finished run's networks, found by its folder alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from carvana.catalogue import RECIPES, merged_models
from carvana.computing.precision import PRECISIONS
from carvana.errors import UserError
from carvana.geometry import GEOMETRIES, Geometry
from carvana.reading import read_yaml, readable
from carvana.recipe_files import EDITIONS, RELEASED, Edition


@dataclass(frozen=True)
class TrainedRun:
    """The networks of a finished run, on disk.

    Attributes:
        edition: of the recipes.
        weights: files by model and fold.
        geometry: that they were trained at.
        precision: likewise.
    """

    edition: Edition
    weights: Mapping[str, Mapping[int, Path]]
    geometry: Geometry
    precision: str


def trained_run(results: Path) -> TrainedRun:
    """Find a run's networks. Raises UserError unless every model of the ensemble has those of all its folds."""
    weights: dict[str, dict[int, Path]] = {}
    edition = edition_of(results)
    for model in (model for recipe in RECIPES for model in merged_models(recipe, edition)):
        folder = results / "models" / model
        # The newest: folds of another number, or of trainings before an import, may lie there too.
        record = max(folder.glob("fold*/recipe.yaml"), key=lambda path: path.stat().st_mtime_ns, default=None)
        if record is None:
            raise UserError(f"{folder} has no network; finish the run with all members first")
        conditions = _conditions_in(record)
        weights[model] = {fold: folder / f"fold{fold}/weights.safetensors" for fold in conditions.folds}
        if missing := [path for path in weights[model].values() if not path.is_file()]:
            raise UserError(f"{missing[0]} is not there; finish the run first")
    return TrainedRun(edition, weights, conditions.geometry, conditions.precision)


def edition_of(results: Path) -> Edition:
    """The edition of a run's recipes, by what its networks have in common; the released one where nothing tells."""
    told = set(EDITIONS)
    for record in (results / "models").glob("*/fold*/recipe.yaml"):
        told &= _conditions_in(record).editions
    return next((edition for edition in EDITIONS if edition in told), RELEASED)


@dataclass(frozen=True)
class _Conditions:
    """What the record of a network says of its run."""

    editions: frozenset[Edition]
    folds: Sequence[int]
    geometry: Geometry
    precision: str


def _conditions_in(record: Path) -> _Conditions:
    """Raises UserError where the record is not as a step has written it."""
    with readable(record, "run the step that made it again"):
        run = read_yaml(record)["run"]
        told, folds = run["edition"].split(", "), run.get("networks") or range(run["folds"])
        editions = frozenset(edition for edition in EDITIONS if edition in told)
        numbered = folds and all(isinstance(fold, int) for fold in folds)
        if not editions or not numbered or run["precision"] not in PRECISIONS:
            raise ValueError("a value that no step writes")
        return _Conditions(editions, folds, GEOMETRIES[run["geometry"]], run["precision"])
