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


def judged(holds: bool) -> Verdict:
    """The verdict where there is an expectation."""
    return "holds" if holds else "FAILS"


def equal(group: str, what: str, expected: object, measured: object, source: str) -> Check:
    """A check that two values are the same."""
    return Check(group, what, str(expected), "equal", str(measured), judged(expected == measured), source)


# Groups of checks whose figures are Dice or a loss.
_SCORES: Final = frozenset({"out_of_fold", "training_loss", "digits", "leaderboard"})


def scores_judged(checks: Iterable[Check]) -> bool:
    """Whether the run's scores were compared with anything."""
    return any(check.group in _SCORES and check.verdict != "no expectation" for check in checks)


def reproduction_holds(checks: Iterable[Check]) -> bool:
    """The verdict on the run: nothing fails, and something was expected."""
    verdicts = [check.verdict for check in checks]
    return "FAILS" not in verdicts and "holds" in verdicts
