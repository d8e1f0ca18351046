"""Reading the tables that trainings write (`training.history`), of whichever recipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from carvana.errors import UserError
from carvana.reading import read_rows, readable
from carvana.training.callbacks import DICE

_DICE_COLUMNS: Final = tuple(f"valid_{name}" for name in DICE)

Row = Mapping[str, str]


def read_history(path: Path) -> list[Row]:
    """The rows of history.csv, one per epoch, at least one.

    Raises:
        UserError: it cannot be read, or has no epoch or no validation Dice.
    """
    with readable(path, "train its network (again)"):
        rows: list[Row] = [*read_rows(path)]
    if not rows or not _dice_columns(rows):
        raise UserError(f"{path} has no epoch with a Dice ({' or '.join(_DICE_COLUMNS)}); train its network again")
    return rows


def dice_of(history: Sequence[Row]) -> list[float]:
    """The validation Dice after each epoch."""
    (column,) = _dice_columns(history)
    return [float(row[column]) for row in history]


def selected_epoch(history: Sequence[Row]) -> int:
    """The epoch, from 1, whose weights were kept."""
    return max(int(row["epoch"]) for row in history if row["selected"] == "1")


def _dice_columns(history: Sequence[Row]) -> list[str]:
    return [name for name in _DICE_COLUMNS if name in history[0]]
