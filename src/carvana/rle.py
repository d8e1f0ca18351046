"""Run-length encoding of masks as the competition defines it.

Pixels are numbered from 1, row by row (left to right, then top to bottom); a mask is its runs of set pixels, written
as `start length` pairs joined by single blanks. An empty mask is the empty string.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_] | npt.NDArray[np.uint8]
Runs = npt.NDArray[np.int64] | npt.NDArray[np.int32]
"""A mask's runs in ascending order, (n, 2): the number of each run's first pixel, and of the pixel behind its last."""

_LARGEST: Final = np.iinfo(np.int64).max
# What numpy takes in and between numbers besides digits and blanks.
_ALSO_PARSED: Final = "+-\t\n\v\f\r"


def runs_of_mask(mask_HW: Mask) -> Runs:
    """A mask's maximal runs.

    Args:
        mask_HW: (H, W) bool or uint8; every value other than 0 is set.
    """
    pixels = mask_HW.ravel()
    is_set = pixels if pixels.dtype == np.bool_ else pixels != 0
    changes = np.flatnonzero(is_set[1:] != is_set[:-1]) + 2
    starts_set = is_set.size > 0 and bool(is_set[0])
    ends_set = is_set.size > 0 and bool(is_set[-1])
    edges = np.concatenate([[1] if starts_set else [], changes, [is_set.size + 1] if ends_set else []])
    return edges.astype(np.int64).reshape(-1, 2)


def encode(mask_HW: Mask) -> str:
    """RLE of a mask: `start length start length ...`; see `runs_of_mask`."""
    pairs = runs_of_mask(mask_HW)
    pairs[:, 1] -= pairs[:, 0]
    numbers = pairs.ravel().tolist()
    # A third of the time of joining the numbers' strings.
    return ("%d " * len(numbers) % tuple(numbers))[:-1]


def runs(rle: str) -> Runs:
    """The runs of an RLE string, as written; int64.

    Raises:
        ValueError: a token is not a whole number in plain digits, their count is odd, a start or length is below 1, or
            the runs are not in ascending order without overlap (runs that touch are legal).
    """
    numbers = _numbers(rle)
    if rle and numbers.size != rle.count(" ") + 1:
        raise ValueError("the RLE holds something other than whole numbers joined by single blanks")
    if numbers.size % 2:
        raise ValueError(f"the RLE has {numbers.size} numbers; starts and lengths come in pairs")
    if numbers.size and numbers.min() < 1:
        raise ValueError("the RLE has a start or a length below 1")
    # From lengths to the pixels behind the runs; a sum past the largest number wraps to a negative one.
    numbers[1::2] += numbers[::2]
    if not (numbers[1:] >= numbers[:-1]).all():
        raise ValueError(_disorder(_numbers(rle).reshape(-1, 2)))
    return numbers.reshape(-1, 2)


def _disorder(pairs: npt.NDArray[np.int64]) -> str:
    """What is wrong with pairs of a start and a length that do not follow each other."""
    starts, lengths = pairs[:, 0], pairs[:, 1]
    if (lengths > _LARGEST - starts).any():
        return "the RLE goes far past any image's last pixel"
    if (np.diff(starts) <= 0).any():
        return "the RLE's starts are not in ascending order"
    return "the RLE has runs that overlap"


def _numbers(rle: str) -> npt.NDArray[np.int64]:
    """The numbers of a text of nothing else, a too large one as the largest there is; else other than so many."""
    ends_well = rle[rle.rfind(" ") + 1 :].isdigit()
    if not ends_well or not rle.isascii() or any(character in rle for character in _ALSO_PARSED):
        return np.empty(0, np.int64)
    try:
        # A seventh of the time of Python's own conversion.
        return np.fromstring(rle, dtype=np.int64, sep=" ")
    except ValueError:
        return np.empty(0, np.int64)


def runs_within(rle: str, size_HW: tuple[int, int]) -> Runs:
    """`runs`, also checked to lie inside an image of (H, W) pixels, and so in 32 bits: a whole submission is kept.

    Raises:
        ValueError: as `runs`, or a run goes past the last pixel.
    """
    edges = runs(rle)
    pixels = size_HW[0] * size_HW[1]
    if edges.size and edges[-1, 1] > pixels + 1:
        raise ValueError(f"the RLE goes past the last of the image's {pixels} pixels")
    return edges.astype(np.int32)


def mask_of_runs(edges: Runs, size_HW: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The mask (H, W), uint8 of 0 and 1, that has these runs, which lie within it."""
    lengths = np.diff(edges.ravel(), prepend=1, append=size_HW[0] * size_HW[1] + 1)
    values = (np.arange(lengths.size) % 2).astype(np.uint8)
    return np.repeat(values, lengths).reshape(size_HW)


def decode(rle: str, size_HW: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The mask of an RLE string.

    Returns:
        (H, W) uint8 of 0 and 1.

    Raises:
        ValueError: the string is malformed or does not fit the image (see `runs_within`).
    """
    return mask_of_runs(runs_within(rle, size_HW), size_HW)


def area(rle: str) -> int:
    """Number of set pixels of an RLE string; raises as `runs`."""
    edges = runs(rle)
    return int((edges[:, 1] - edges[:, 0]).sum())


def force_corners_off(mask_HW: Mask) -> Mask:
    """A copy of the mask whose first and last pixel are 0, as in every published submission of the winners."""
    forced = mask_HW.copy()
    forced.flat[0] = 0
    forced.flat[-1] = 0
    return forced


def encode_as_published(mask_HW: Mask) -> str:
    """RLE of the mask with its first and last pixel forced to 0, as the released scripts write it; see `encode`."""
    return encode(force_corners_off(mask_HW))
