"""Scores at Kaggle against the published ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from carvana.leaderboard.record import Scored
from carvana.text import score, table

PARTS: Final = ("public", "private")


@dataclass(frozen=True)
class Compared:
    """One score of one submission, compared.

    Attributes:
        name: of the submission.
        part: `public` or `private`.
        expected: the published score; None: there is none.
        within: how far from it the measured one may lie.
        measured: Kaggle's score.
        remark: where the expected score is from, or why there is none.
    """

    name: str
    part: str
    expected: float | None
    within: float | None
    measured: float
    remark: str

    @property
    def difference(self) -> float | None:
        """Measured less expected; None without an expected score."""
        return None if self.expected is None else self.measured - self.expected

    @property
    def outside(self) -> bool:
        """Whether there is an expected score and the measured one lies too far from it."""
        # Scores have six decimals: what lies on the band's edge must not fall to binary rounding.
        return self.expected is not None and round(abs(self.measured - self.expected), 9) > (self.within or 0)


def compare(scored: Iterable[Scored], published: Mapping[str, Any]) -> list[Compared]:
    """Each score beside the published one.

    Args:
        scored: by Kaggle.
        published: the facts of config/published.yaml.
    """
    return [_compared(record, part, published) for record in scored for part in PARTS]


def _compared(record: Scored, part: str, published: Mapping[str, Any]) -> Compared:
    known: Mapping[str, Any]
    scores = published["leaderboard"]["scores"]
    if record.competition != published["competition"]:
        known = {"value": None, "source": f"nothing is published for the competition {record.competition}"}
    else:
        nothing = {"value": None, "source": "no such submission was published"}
        known = scores.get(record.name, {}).get(part, nothing)
    return Compared(record.name, part, known["value"], known.get("within"), getattr(record, part), known["source"])


def format_comparison(rows: Sequence[Compared]) -> str:
    """The rows as an aligned table: submission, part, expected, measured, difference, verdict, remark."""
    columns = ("submission", "part", "expected", "measured", "difference", "", "source")
    return table(columns, [_cells(row) for row in rows])


def _cells(row: Compared) -> tuple[str, ...]:
    expected = "not published" if row.expected is None else f"{score(row.expected)}±{row.within}"
    difference = "" if row.difference is None else f"{row.difference:+.6f}"
    verdict = "" if row.expected is None else "OUTSIDE" if row.outside else "within"
    return row.name, row.part, expected, score(row.measured), difference, verdict, row.remark


def format_others(published: Mapping[str, Any]) -> str:
    """Others' scores, best first, one a line."""
    others = sorted(published["leaderboard"]["others"], key=lambda other: -other["score"])
    return "\n".join(
        f"{score(other['score'])}  place {other['place']}, {other['what']} (board: {other['board']}; {other['source']})"
        for other in others
    )
