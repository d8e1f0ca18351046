"""Steps that are timed, beside the published flow's where it has them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One step.

    Attributes:
        step: what is done.
        unit: of the numbers.
        published: what the published flow takes; none where it has no such step.
        ours: what this code takes.
        target: what it should take at most; none: it is only measured.
    """

    step: str
    unit: str
    published: float | None
    ours: float
    target: float | None

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the published flow."""
        return self.published / self.ours if self.published else None


def in_turns(times: int, *works: Callable[[int], object]) -> list[list[float]]:
    """Milliseconds of each work, run one after the other, so many times after a first round that does not count."""
    found: list[list[float]] = [[] for _ in works]
    for number in range(-1, times):
        for work, milliseconds in zip(works, found, strict=True):
            begun = time.perf_counter()
            work(number)
            if number >= 0:
                milliseconds.append((time.perf_counter() - begun) * 1000)
    return found


def compared(
    step: str,
    target: float,
    times: int,
    middle: Callable[[Sequence[float]], float],
    theirs: Callable[[int], object],
    ours: Callable[[int], object],
) -> Row:
    """The row of two works that do the same, by the mean or the median of their times."""
    published_ms, ours_ms = (middle(found) for found in in_turns(times, theirs, ours))
    return Row(step, "ms", published_ms, ours_ms, target)
