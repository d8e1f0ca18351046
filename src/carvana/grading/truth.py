"""The true masks of the training images and, where the hidden truth is at hand, of the test images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from carvana import rle
from carvana.data.imageset import ImageSet
from carvana.data.manifest import Manifest
from carvana.errors import UserError
from carvana.geometry import Geometry
from carvana.mask_runs import Runs, runs_of_mask
from carvana.submission.mask_table import numbered_rows

_USAGE: Final = "usage"
USAGES: Final = ("Public", "Private", "Ignored")
"""What a test image is used for; the ignored ones are not scored."""

Truth = Mapping[str, Runs]
"""Runs of the true mask by image name."""


def training_truth(manifest: Manifest) -> dict[str, Runs]:
    """The training images' true masks."""
    images = ImageSet(manifest)
    return {name: runs_of_mask(images.mask(name)) for name in manifest.names}


def has_usage(header: Sequence[str]) -> bool:
    """Whether a table of masks with this header says what its images are used for."""
    return _USAGE in _lowered(header)


def hidden_truth(solution: Path, geometry: Geometry) -> dict[str, dict[str, Runs]]:
    """The scored test images' true masks, by usage (`Public`, `Private`) and image name.

    Args:
        solution: `.csv`, `.csv.gz` or `.zip` whose columns begin with img, rle_mask and which has a column usage
            or Usage (Public, Private or Ignored).
        geometry: of the masks.

    Raises:
        UserError: as `mask_table.numbered_rows`, no column usage, an image twice, or a row with another number of
            values, another usage or a malformed RLE.
    """
    truth: dict[str, dict[str, Runs]] = {"Public": {}, "Private": {}}
    if not solution.exists():
        raise UserError(f"{solution}: no such file; give the hidden truth, or none")
    usage: dict[str, str] = {}
    try:
        for name, runs in rle.runs_of_rows(_masks_with_usage(solution, usage), geometry.image_size):
            if usage[name] in truth:
                # A view would keep all that was parsed with it, and cost time as well.
                truth[usage[name]][name] = runs.copy()
    except ValueError as error:
        raise UserError(f"{solution} is not a hidden truth ({error}): expected img, rle_mask, usage") from error
    return truth


def _masks_with_usage(solution: Path, usage: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Image name and RLE of each row; `usage` is filled. Raises ValueError: as `hidden_truth`."""
    rows = numbered_rows(solution)
    _, header = next(rows)
    place = _lowered(header).index(_USAGE)
    for line, row in rows:
        if len(row) != len(header):
            raise ValueError(f"line {line}: {len(row)} values, expected {len(header)}")
        if row[place] not in USAGES:
            raise ValueError(f"line {line}: the usage {row[place]!r}; there are {', '.join(USAGES)}")
        if row[0] in usage:
            raise ValueError(f"line {line}: {row[0]} comes a second time")
        usage[row[0]] = row[place]
        yield row[0], row[1]


def _lowered(header: Sequence[str]) -> list[str]:
    # Kaggle writes Usage.
    return [column.lower() for column in header]
