"""Run-length encoding of masks as the competition defines it.

Pixels are numbered from 1, row by row (left to right, then top to bottom); a mask is its runs of set pixels, written
as `start length` pairs joined by single blanks. An empty mask is the empty string.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

import numpy as np

from carvana.arrays import ByteMask, Mask
from carvana.mask_runs import NO_RUNS, Runs, mask_of_runs, runs_of_mask
from carvana.whole_numbers import whole_numbers

Row = TypeVar("Row")

# Long enough for numpy's calls to weigh little, short enough to stay in the processor's cache.
_READ_TOGETHER: Final = 2**15


def encode(mask_HW: Mask) -> str:
    """RLE of a mask: `start length start length ...`; see `runs_of_mask`."""
    pairs = runs_of_mask(mask_HW)
    pairs[:, 1] -= pairs[:, 0]
    numbers = pairs.ravel().tolist()
    # A third of the time of joining the numbers' strings.
    return ("%d " * len(numbers) % tuple(numbers))[:-1]


def runs(rle: str, size_HW: tuple[int, int] | None = None) -> Runs:
    """The runs of an RLE string, as written; with a size they are also checked to lie inside an image of (H, W) pixels.

    Raises:
        ValueError: a token is not a whole number in plain digits, or has more than 8; their count is odd, a start or
            length is below 1, the runs are not in ascending order without overlap (runs that touch are legal), or one
            goes past the image's last pixel.
    """
    return _runs_of_each([rle], size_HW)[0]


def _runs_of_each(rles: Sequence[str], size_HW: tuple[int, int] | None) -> list[Runs]:
    """`runs` of each, inside an image if there is one; raises ValueError where any is wrong."""
    written = [rle for rle in rles if rle]
    if not written:
        return [NO_RUNS] * len(rles)
    try:
        edges, ends = whole_numbers(" ".join(written))
    except ValueError as error:
        raise ValueError(f"the RLE holds {error}") from None
    # Places, in text and in numbers, behind each RLE.
    behind = np.searchsorted(ends, np.cumsum([len(rle) + 1 for rle in written]))
    counts = behind.copy()
    counts[1:] -= behind[:-1]
    if (odd := counts[counts % 2 == 1]).size:
        raise ValueError(f"the RLE has {odd[0]} numbers; starts and lengths come in pairs")
    if np.count_nonzero(edges) < edges.size:
        raise ValueError("the RLE has a start or a length below 1")
    # From lengths to the pixels behind the runs.
    edges[1::2] += edges[::2]
    in_order = edges[1:] >= edges[:-1]
    in_order[behind[:-1] - 1] = True
    if np.count_nonzero(in_order) < in_order.size:
        first = int(np.argmin(in_order))
        if edges[first + 1] <= edges[first - 1]:
            raise ValueError("the RLE's starts are not in ascending order")
        raise ValueError("the RLE has runs that overlap")
    if size_HW and edges[behind - 1].max() > (pixels := size_HW[0] * size_HW[1]) + 1:
        raise ValueError(f"the RLE goes past the last of the image's {pixels} pixels")
    pairs = edges.reshape(-1, 2)
    found = (pairs[start:stop] for start, stop in itertools.pairwise([0, *(behind // 2).tolist()]))
    return [next(found) if rle else NO_RUNS for rle in rles]


def runs_of_rows(rows: Iterable[tuple[str, str]], size_HW: tuple[int, int] | None) -> Iterator[tuple[str, Runs]]:
    """Name and runs of each row of a table, its name and RLE; a third of the time of one after the other.

    Args:
        rows: of the table.
        size_HW: of the masks, see `runs`.

    Raises:
        ValueError: as `runs`, with the row's name.
    """
    for name, found in runs_or_error_of_rows(rows, size_HW):
        if isinstance(found, ValueError):
            raise ValueError(f"{name}: {found}") from found
        yield name, found


def runs_or_error_of_rows(
    rows: Iterable[tuple[Row, str]], size_HW: tuple[int, int] | None
) -> Iterator[tuple[Row, Runs | ValueError]]:
    """As `runs_of_rows`, of rows in any form beside their RLE; a wrong RLE gives its error, and does not end it."""
    together: list[tuple[Row, str]] = []
    length = 0
    for row in rows:
        together.append(row)
        length += len(row[1])
        if length >= _READ_TOGETHER:
            yield from _all_together(together, size_HW)
            together, length = [], 0
    yield from _all_together(together, size_HW)


def _all_together(
    rows: Sequence[tuple[Row, str]], size_HW: tuple[int, int] | None
) -> Iterator[tuple[Row, Runs | ValueError]]:
    found: Sequence[Runs | ValueError]
    try:
        found = _runs_of_each([rle for _, rle in rows], size_HW)
    except ValueError:
        found = [_runs_or_error(rle, size_HW) for _, rle in rows]
    return zip((row for row, _ in rows), found, strict=True)


def _runs_or_error(rle: str, size_HW: tuple[int, int] | None) -> Runs | ValueError:
    try:
        return runs(rle, size_HW)
    except ValueError as error:
        return error


def decode(rle: str, size_HW: tuple[int, int]) -> ByteMask:
    """The mask of an RLE string.

    Returns:
        (H, W) uint8 of 0 and 1.

    Raises:
        ValueError: the string is malformed or does not fit the image (see `runs`).
    """
    return mask_of_runs(runs(rle, size_HW), size_HW)


def force_corners_off(mask_HW: Mask) -> Mask:
    """A copy of the mask whose first and last pixel are 0, as in every published submission of the winners."""
    forced = mask_HW.copy()
    forced.flat[0] = 0
    forced.flat[-1] = 0
    return forced


def encode_as_published(mask_HW: Mask) -> str:
    """RLE of the mask with its first and last pixel forced to 0, as the released scripts write it; see `encode`."""
    return encode(force_corners_off(mask_HW))
