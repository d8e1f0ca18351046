"""One line of the verdict on a run: what was expected, what was measured, and whether that holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["holds", "FAILS", "no expectation"]


@dataclass(frozen=True)
class Check:
    """One row of the table.

    Attributes:
        group: of checks: folds, weights, conformance, grader, out_of_fold, training_loss, digits, leaderboard.
        what: is checked.
        expected: value; empty where there is none.
        band: that the measured value must lie in, or what else the expectation is.
        measured: value.
        verdict: on it.
        source: of the expectation, or why there is none.
    """

    group: str
    what: str
    expected: str
    band: str
    measured: str
    verdict: Verdict
    source: str

    @property
    def failed(self) -> bool:
        """Whether the expectation was not met."""
        return self.verdict == "FAILS"

    @property
    def is_open(self) -> bool:
        """Whether there is no expectation, so that the check says nothing."""
        return self.verdict == "no expectation"


def compared(group: str, what: str, expected: str, band: str, measured: str, source: str, *, holds: bool) -> Check:
    """A check where there is an expectation; see `Check`."""
    return Check(group, what, expected, band, measured, "holds" if holds else "FAILS", source)


def equal(group: str, what: str, expected: object, measured: object, source: str) -> Check:
    """A check that two values are the same."""
    return compared(group, what, str(expected), "equal", str(measured), source, holds=expected == measured)


def unexpected(group: str, what: str, measured: str, source: str, expected: str = "", band: str = "") -> Check:
    """A check where there is no expectation of what was measured; see `Check`.

    Args:
        group: see `Check`.
        what: see `Check`.
        measured: value, or what is there in place of one.
        source: why there is no expectation.
        expected: what would be, had it been measured.
        band: likewise.
    """
    return Check(group, what, expected, band, measured, "no expectation", source)


# Groups of checks whose figures are Dice or a loss.
_SCORES: Final = frozenset({"out_of_fold", "training_loss", "digits", "leaderboard"})


def scores_judged(checks: Iterable[Check]) -> bool:
    """Whether the run's scores were compared with anything."""
    return any(check.group in _SCORES and not check.is_open for check in checks)


def reproduction_holds(checks: Iterable[Check]) -> bool:
    """The verdict on the run: nothing fails, and something was expected."""
    closed = [check for check in checks if not check.is_open]
    return bool(closed) and not any(check.failed for check in closed)
