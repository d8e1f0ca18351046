"""Does the grader grade? Answers whose score is known by arithmetic, made of the run's own true masks."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from carvana import rle
from carvana.arrays import Mask
from carvana.files import write_table
from carvana.grading.dice import dice_by_image, mean_dice
from carvana.mask_runs import runs_of_mask
from carvana.submission.mask_table import COLUMNS
from carvana.verification.check import Check, equal

Answer = Callable[[Mask], Mask]
Arithmetic = Callable[[Mask], float]


def shifted(mask_HW: Mask) -> Mask:
    """The mask moved to the right by one pixel; what leaves the image is lost."""
    moved_HW = np.zeros_like(mask_HW)
    moved_HW[:, 1:] = mask_HW[:, :-1]
    return moved_HW


def dice_of_shifted(mask_HW: Mask) -> float:
    """Dice of a mask and the same mask, shifted: each of its runs within a row loses one pixel of the overlap."""
    car_HW = mask_HW != 0
    area = int(car_HW.sum())
    runs = int(car_HW[:, 0].sum() + (car_HW[:, 1:] & ~car_HW[:, :-1]).sum())
    lost = int(car_HW[:, -1].sum())
    return 2 * (area - runs) / (2 * area - lost) if area else 1.0


def dice_of_empty(mask_HW: Mask) -> float:
    """Dice of a mask and an empty one: 0, or 1 where the mask is empty too."""
    return float(not mask_HW.any())


def first_pixel(mask_HW: Mask) -> Mask:
    """The mask "1 1" of every image, as in Kaggle's sample_submission.csv."""
    placeholder_HW = np.zeros_like(mask_HW)
    placeholder_HW[0, 0] = 1
    return placeholder_HW


def dice_of_first_pixel(mask_HW: Mask) -> float:
    """Dice of a mask and the image's first pixel."""
    return 2 * int(mask_HW[0, 0] != 0) / (1 + np.count_nonzero(mask_HW))


ANSWERS: Final[Mapping[str, tuple[Answer, Arithmetic]]] = {
    "the truth": (lambda mask_HW: mask_HW, lambda mask_HW: 1.0),
    "empty masks": (np.zeros_like, dice_of_empty),
    "the truth, one pixel to the right": (shifted, dice_of_shifted),
    "sample_submission.csv": (first_pixel, dice_of_first_pixel),
}


def check_grader(masks: Callable[[], Iterable[tuple[str, Mask]]]) -> list[Check]:
    """Score each of `ANSWERS` through a table of masks, as submissions are, and compare with arithmetic.

    Args:
        masks: gives image names and true (H, W) masks, 0 or 1, anew at each call.

    Raises:
        UserError: a mask is unreadable.
    """
    truth = {name: runs_of_mask(mask_HW) for name, mask_HW in masks()}
    checks = []
    with tempfile.TemporaryDirectory() as folder:
        for what, (answer, arithmetic) in ANSWERS.items():
            expected: list[float] = []
            table = Path(folder, "answer.csv")

            def rows(
                answer: Answer = answer, arithmetic: Arithmetic = arithmetic, expected: list[float] = expected
            ) -> Iterable[tuple[str, str]]:
                for name, mask_HW in masks():
                    expected.append(arithmetic(mask_HW))
                    yield name, rle.encode(answer(mask_HW))

            write_table(table, COLUMNS, rows())
            scored = mean_dice(dice_by_image([table], truth).values())
            known = math.fsum(expected) / len(expected)
            source = "arithmetic on the run's true training masks"
            checks.append(equal("grader", f"score of {what}", known, scored, source))
        empty = {"empty": rle.runs("")}
        write_table(table, COLUMNS, [("empty", "")])
        both = mean_dice(dice_by_image([table], empty).values())
        checks.append(equal("grader", "score where both masks are empty", 1.0, both, "the competition's definition"))
    return checks
