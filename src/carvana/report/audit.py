"""Training masks ranked by how much all models agree against them, as a list that a person marks and feeds back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from carvana.exclusion import COLUMN
from carvana.files import write_table
from carvana.report.analysis import ImageAnalysis

COLUMNS: Final = ("img", COLUMN, "against", "missing", "extra", "ensemble_dice")


def suspicious(rows: Sequence[ImageAnalysis]) -> list[ImageAnalysis]:
    """The images, those first whose mask has the largest share of pixels that every model contradicts."""
    return sorted(rows, key=lambda row: (-row.against, row.img))


def write_audit(rows: Sequence[ImageAnalysis], path: Path) -> None:
    """Write the ranking as CSV; the column `exclude` is 0 everywhere: only a person marks a mask as wrong."""
    ranked = suspicious(rows)
    table = ((row.img, 0, f"{row.against:.6f}", row.missing, row.extra, f"{row.ensemble:.6f}") for row in ranked)
    write_table(path, COLUMNS, table)
