"""Dice of tables of masks, image by image, and its mean, which is Kaggle's score."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from carvana import rle
from carvana.errors import UserError
from carvana.grading.truth import Truth
from carvana.metrics import dice_of_runs
from carvana.submission.mask_table import read_masks


def dice_by_image(
    tables: Iterable[Path], truth: Truth, size_HW: tuple[int, int] | None = None, partial: bool = False
) -> dict[str, float]:
    """Dice of each image that has a truth; rows of other images are passed over.

    Args:
        tables: of masks.
        truth: of the images to score.
        size_HW: of the masks; None where the tables were made here, and fit.
        partial: whether images with a truth may lack a mask, as where a model has some folds' networks only; they are
            then left out.

    Raises:
        UserError: a table is missing or damaged, an image with a truth is in the tables twice or, unless `partial`, not
            at all, or its RLE is malformed or does not fit the image.
    """
    dice: dict[str, float] = {}
    for path in tables:
        scored = ((name, encoded) for name, encoded in read_masks(path) if name in truth)
        try:
            for name, runs in rle.runs_of_rows(scored, size_HW):
                if name in dice:
                    raise UserError(f"{path}: {name} has a second mask; was a table given twice?")
                dice[name] = dice_of_runs(runs, truth[name])
        except ValueError as error:
            raise UserError(f"{path}: {error}; make the table again") from error
    if not partial and (missing := sorted(truth.keys() - dice.keys())):
        shown = ", ".join(missing[:10])
        raise UserError(f"{len(missing)} images to score have no mask ({shown}) in {', '.join(map(str, tables))}")
    return dice


def mean_dice(dice: Iterable[float]) -> float | None:
    """Kaggle's score of the images with these Dice coefficients; None where there are none."""
    values = list(dice)
    return math.fsum(values) / len(values) if values else None
