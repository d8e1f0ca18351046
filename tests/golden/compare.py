"""Comparisons with the golden values: each asserts, and notes what it measured for `tests/golden/conformance.py`.

Every comparison names the recipe it is about, or several, and the property compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

UNETS = ("unet_scratch", "unet_vgg11")


@dataclass(frozen=True)
class Comparison:
    """What one comparison found.

    Attributes:
        recipe: whose property it is, or `ensemble`.
        what: the property.
        values: how many values were compared.
        allowed: the allowed deviation, in words.
        deviation: the largest one found, in the unit of `allowed`; where values must be equal, how many are not.
        holds: whether the deviation is allowed.
    """

    recipe: str
    what: str
    values: int
    allowed: str
    deviation: float
    holds: bool


COMPARISONS: list[Comparison] = []
"""All comparisons of this process, in the order in which they were made."""


def note(recipes: str | tuple[str, ...], what: str, values: int, allowed: str, deviation: float, holds: bool) -> None:
    for recipe in (recipes,) if isinstance(recipes, str) else recipes:
        COMPARISONS.append(Comparison(recipe, what, values, allowed, deviation, holds))
    assert holds, f"{recipes}: {what}: deviation {deviation:.3g}, allowed: {allowed}"


def equal(recipes: str | tuple[str, ...], what: str, found: ArrayLike, expected: ArrayLike) -> None:
    """Every value the same, and the same shape."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, what
    different = int(np.count_nonzero(found != expected))
    note(recipes, what, expected.size, "equal", different, different == 0)


def close(
    recipes: str | tuple[str, ...],
    what: str,
    found: ArrayLike,
    expected: ArrayLike,
    allowed: float,
    of: float = 1.0,
    unit: str = "",
) -> None:
    """The same shape, and no value further away than `allowed` times `of`, which `unit` describes."""
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    assert found.shape == expected.shape, what
    deviation = float(np.abs(found - expected).max()) / of
    note(recipes, what, expected.size, f"{allowed:.0e} {unit}".strip(), deviation, deviation <= allowed)


def close_to_largest(
    recipes: str | tuple[str, ...], what: str, found: ArrayLike, expected: ArrayLike, allowed: float
) -> None:
    """As `close`, relative to the largest absolute value expected."""
    close(recipes, what, found, expected, allowed, float(np.abs(expected).max()), "of the largest")


def nearly_equal_8_bits(recipes: str | tuple[str, ...], what: str, found: ArrayLike, expected: ArrayLike) -> None:
    """At most 0.1 % of the values differ, and by 1."""
    found, expected = np.asarray(found).astype(int), np.asarray(expected).astype(int)
    assert found.shape == expected.shape, what
    difference = np.abs(found - expected)
    share = np.count_nonzero(difference) / difference.size
    holds = difference.max() <= 1 and share <= 0.001
    note(recipes, what, expected.size, "by 1 in 1e-03 of the values", share, holds)
