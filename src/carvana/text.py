"""Durations, sizes, scores and tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

NOT_AVAILABLE: Final = "not available"
"""What is written and shown where there is no score."""


def clock(seconds: float) -> str:
    """Minutes and seconds, and hours if there are any: `0:42`, `1:02:03`."""
    minutes, seconds_left = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours}:{minutes_left:02d}:{seconds_left:02d}" if hours else f"{minutes}:{seconds_left:02d}"


def size(count: float) -> str:
    """Bytes: `12 B`, `3.4 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def score(value: float | None, missing: str = NOT_AVAILABLE) -> str:
    """A Dice coefficient in six digits, as Kaggle shows it; `missing` where there is none."""
    return missing if value is None else f"{value:.6f}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width, two spaces apart; the last line has no end."""
    widths = [max(len(row[index]) for row in (columns, *rows)) for index in range(len(columns))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (columns, *rows))
    return "\n".join(line.rstrip() for line in lines)
