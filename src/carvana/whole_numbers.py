"""The whole numbers of a text, all at once: faster than `np.fromstring`, which takes much else for numbers too."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_DIGITS: Final = 8
"""So many fit a machine word, a byte each."""

_ZEROS: Final = np.frombuffer(b"0" * MOST_DIGITS, np.uint64)[0]
# To join neighbours in a word: the first one, with its weight, is added in the second's place; what is there is kept.
_JOINS: Final = tuple(
    (np.uint64((weight << bits) + 1), np.uint64(bits), np.uint64(kept))
    for bits, weight, kept in ((8, 10, 0x00FF00FF00FF00FF), (16, 100, 0x0000FFFF0000FFFF), (32, 10_000, 0xFFFFFFFF))
)


def whole_numbers(text: str) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Read whole numbers of up to `MOST_DIGITS` plain digits, joined by single blanks.

    Args:
        text: not empty.

    Returns:
        numbers: (n,).
        ends: (n,), the place in the text behind each number.

    Raises:
        ValueError: the text is something else, or a number has more digits.
    """
    # From the beginning of each number, the last one too, a word can be read.
    characters = np.frombuffer(b"%b%*s" % (text.encode(), MOST_DIGITS, b""), np.uint8)
    ends = np.flatnonzero(characters == ord(" "))[: 1 - MOST_DIGITS]
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts
    plain = np.count_nonzero(characters - np.uint8(ord("0")) <= 9)
    # As whole numbers without sign, those of no digit and of too many are both too large.
    missing_bits = (MOST_DIGITS * 8 - lengths * 8).view(np.uint64)
    if plain != ends[-1] - (ends.size - 1) or missing_bits.max() >= MOST_DIGITS * 8:
        if lengths.min() < 1 or plain != lengths.sum():
            raise ValueError("something other than whole numbers joined by single blanks")
        raise ValueError(f"a number of more than {MOST_DIGITS} digits")
    # Half the time of indexing, which is slow where words lie across one another.
    words = np.ndarray(characters.size - MOST_DIGITS + 1, np.uint64, characters, strides=(1,)).take(starts)
    words ^= _ZEROS
    # A number's last digit becomes its word's highest byte, on the little-endian machines that there are.
    words <<= missing_bits
    for multiplier, bits, kept in _JOINS:
        words *= multiplier
        words >>= bits
        words &= kept
    return words.astype(np.int32), ends
