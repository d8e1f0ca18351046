"""Tables of a teacher's predictions for test images: each mask, and how uncertain it is."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from carvana import rle
from carvana.arrays import Mask
from carvana.files import write_table
from carvana.pseudo_labels.uncertainty import Uncertainty
from carvana.reading import readable

COLUMNS: Final = ("img", "rle_mask", "unclear", "outline")


@dataclass(frozen=True)
class Candidate:
    """One image.

    Attributes:
        img: its name.
        rle_mask: the teacher's mask.
        uncertainty: see `Uncertainty`.
    """

    img: str
    rle_mask: str
    uncertainty: Uncertainty


def candidate(img: str, mask_HW: Mask, uncertainty: Uncertainty) -> Candidate:
    """The candidate of a mask."""
    return Candidate(img, rle.encode(mask_HW), uncertainty)


def write_candidates(path: Path, candidates: Iterable[Candidate]) -> None:
    """Write a table, row by row as they come."""
    write_table(
        path, COLUMNS, ((one.img, one.rle_mask, one.uncertainty.unclear, one.uncertainty.outline) for one in candidates)
    )


def read_candidates(path: Path) -> Iterator[Candidate]:
    """Read what `write_candidates` wrote. Raises UserError where it is not there or damaged."""
    # Row by row: all masks at once would not fit into memory.
    with (
        readable(path, "delete it and run the step that makes it again"),
        path.open(newline="", encoding="utf-8") as stream,
    ):
        for row in csv.DictReader(stream, strict=True):
            uncertainty = Uncertainty(int(row["unclear"]), int(row["outline"]))
            yield Candidate(row["img"], row["rle_mask"], uncertainty)
