"""Reading what validation leaves behind: the out-of-fold Dice of every training image."""

from __future__ import annotations

from pathlib import Path

from carvana.reading import FINISH_THE_RUN, read_rows, readable


def read_fold_dice(table: Path) -> dict[int, list[float]]:
    """Dice, 0..1, of each image of a model's table (`oof/<model>/dice.csv`), by fold.

    Raises:
        UserError: it cannot be read.
    """
    of_fold: dict[int, list[float]] = {}
    with readable(table, FINISH_THE_RUN):
        for row in read_rows(table):
            of_fold.setdefault(int(row["fold"]), []).append(float(row["dice"]))
    return of_fold
