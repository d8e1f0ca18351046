"""The job that predicts the training images out of fold, and scores each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from carvana.arrays import Sums
from carvana.data.imageset import ImageSet
from carvana.data.manifest import Manifest
from carvana.errors import UserError
from carvana.files import write_table
from carvana.maps.threshold import THRESHOLD
from carvana.metrics import dice
from carvana.prediction.conditions import Conditions
from carvana.prediction.run import prepare, sums_store
from carvana.prediction.timings import timed

DICE_COLUMNS: Final = ("img", "car", "view", "fold", "dice")


def validate(
    conditions: Conditions, manifest: Manifest, fold_of_car: Mapping[str, int], maps: Path, table: Path, timings: Path
) -> None:
    """Store each training image's 8-bit map by the one network that did not train on its car, and its Dice.

    Where only some folds have a network, the images of the others are left out.

    Args:
        conditions: of the job.
        manifest: of the training images.
        fold_of_car: by car.
        maps: the map store to write, in the manifest's order; sums over one network.
        table: the CSV to write, with `DICE_COLUMNS`; Dice is that of the map's pixels from 128 on.
        timings: JSON to write.

    Raises:
        UserError: the folds are not those of the images and weights, the weights are unusable, or an image or mask is
            unreadable or not of the geometry's size.
    """
    check_folds(fold_of_car, manifest.cars, len(conditions.weights), conditions.folds)
    images = ImageSet(manifest)
    forwards, pipeline = prepare(conditions, images)
    forward_of_fold = dict(zip(conditions.folds or range(len(forwards)), forwards, strict=True))
    judged = [record for record in manifest if fold_of_car[record.car] in forward_of_fold]
    names = [record.name for record in judged]
    forward_of = {record.name: [forward_of_fold[fold_of_car[record.car]]] for record in judged}
    scores: dict[str, float] = {}

    def score_and_store(name: str, map_HW: Sums) -> None:
        scores[name] = dice(map_HW >= THRESHOLD, images.mask(name))
        store.write(name, map_HW)

    with timed(timings, conditions, len(names)), sums_store(maps, names, conditions, 1) as store:
        pipeline.run(names, forward_of.__getitem__, score_and_store)
        rows = ((image.name, image.car, image.view, fold_of_car[image.car], scores[image.name]) for image in judged)
        write_table(table, DICE_COLUMNS, rows)


def check_folds(
    fold_of_car: Mapping[str, int], cars: Sequence[str], networks: int, folds: Sequence[int] | None = None
) -> None:
    """Stop unless every car has a fold, and the networks are of all folds, or of some where that is wanted.

    Args:
        fold_of_car: the table of folds.
        cars: of the images.
        networks: their number.
        folds: that they are of, where only some are wanted.

    Raises:
        UserError: a car has no fold, the folds are not 0 .. networks - 1, or those wanted are not among them.
    """
    if unknown := sorted(set(cars) - fold_of_car.keys()):
        raise UserError(
            f"{len(unknown)} cars have no fold ({', '.join(unknown[:10])}): make the folds of this manifest"
        )
    existing = set(fold_of_car.values())
    if existing != set(range(networks)) if folds is None else not set(folds) <= existing:
        of = "" if folds is None else f" of the folds {', '.join(map(str, folds))}"
        raise UserError(
            f"weights of {networks} networks{of} for the folds {sorted(existing)}: give one file per fold, in order"
        )
