"""Does Kaggle's score of a submission lie by the published one?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from carvana.leaderboard.comparison import PARTS, Compared, compare
from carvana.leaderboard.record import Scored
from carvana.text import score
from carvana.verification.check import Check, compared, unexpected


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
        unexpected(
            "leaderboard",
            f"ensemble: {part}",
            "not submitted",
            scores[part]["source"],
            expected=score(scores[part]["value"]),
            band=_band(scores[part].get("within")),
        )
        for part in PARTS
        if scores[part]["value"] is not None
    ]


def _check(row: Compared) -> Check:
    what, measured = f"{row.name}: {row.part}", score(row.measured)
    if row.expected is None:
        return unexpected("leaderboard", what, measured, row.remark)
    expected, band = score(row.expected), _band(row.within)
    return compared("leaderboard", what, expected, band, measured, row.remark, holds=not row.outside)


def _band(within: float | None) -> str:
    return f"within {within or 0:g}; one published value"
