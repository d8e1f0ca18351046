"""A training's history, as a table that is the same bit for bit when the training is repeated; it holds no times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from carvana.files import write_table
from carvana.training.callbacks import EpochRecord


def columns(record: EpochRecord) -> dict[str, str]:
    """The record as a row; `epoch` counts from 1, floats have the digits that give them back exactly."""
    return {
        "epoch": str(record.epoch + 1),
        "recipe_epoch": str(record.recipe_epoch),
        "learning_rate": repr(record.learning_rate),
        **{f"train_{name}": repr(value) for name, value in record.train.items()},
        **{f"valid_{name}": repr(value) for name, value in record.valid.items()},
        "selected": str(int(record.selected)),
    }


def write_history(records: Sequence[EpochRecord], path: Path) -> None:
    """Write a row per epoch. `selected` marks each epoch that was the best so far: the last one's weights are kept."""
    rows = [columns(record) for record in records]
    write_table(path, tuple(rows[0]), [tuple(row.values()) for row in rows])
