"""Does Kaggle's score of a submission lie by the published one?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carvana.leaderboard.comparison import PARTS, Compared, compare
from carvana.leaderboard.record import Scored
from carvana.verification.check import Check, judged


def check_leaderboard(scored: Sequence[Scored], published: Mapping[str, Any]) -> list[Check]:
    """Kaggle's scores against the published ones; without any, the published ones alone.

    Args:
        scored: by Kaggle; empty where nothing was submitted.
        published: the facts of config/published.yaml.
    """
    if scored:
        return [_check(row) for row in compare(scored, published)]
    scores = published["leaderboard"]["scores"]["ensemble"]
    return [
        Check(
            "leaderboard",
            f"ensemble: {part}",
            _shown(scores[part]["value"]),
            _band(scores[part]["value"], scores[part].get("within")),
            "not submitted",
            "no expectation",
            scores[part]["source"],
        )
        for part in PARTS
        if scores[part]["value"] is not None
    ]


def _check(row: Compared) -> Check:
    verdict = "no expectation" if row.expected is None else judged(not row.outside)
    band = _band(row.expected, row.within)
    what, expected, measured = f"{row.name}: {row.part}", _shown(row.expected), _shown(row.measured)
    return Check("leaderboard", what, expected, band, measured, verdict, row.remark)


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _band(value: float | None, within: float | None) -> str:
    return "" if value is None else f"within {within or 0:g}; one published value"
