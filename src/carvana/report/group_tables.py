"""The ensemble's Dice by groups of images, as plots and tables of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from carvana.report import page, plots
from carvana.report.groups import Summary, by_group, by_share
from carvana.report.record import RunRecord

_SHARES: Final = 5


def group_tables(run: RunRecord) -> str:
    """The ensemble's Dice by view, by the car's make and year, and by its share of the image."""
    views = dict(sorted(by_group(run.images, lambda row: row.view).items()))
    shares = by_share(run.images, _SHARES)
    body = page.plots(
        {
            "Dice by view": plots.bars({str(view): s.mean for view, s in views.items()}),
            "Dice by the car's share of the image": plots.bars({name: s.mean for name, s in shares.items()}),
        }
    )
    body += page.folded("The numbers", _group_table("view", views) + _group_table("car's share of the image", shares))
    if not run.metadata:
        return body + page.text("metadata.csv is not there: makes and years are not known.", "faint")
    unknown = ("not in metadata.csv", "not in metadata.csv")
    for place, name in enumerate(("make", "year")):
        found = by_group(run.images, lambda row, place=place: run.metadata.get(row.car, unknown)[place])  # type: ignore[misc]
        ordered = dict(sorted(found.items(), key=lambda item: item[1].mean))
        body += page.heading(f"By {name}") + _group_table(name, ordered)
    return body


def _group_table(name: str, found: Mapping[Any, Summary]) -> str:
    rows = ((group, s.count, s.mean, s.deviation, s.lowest) for group, s in found.items())
    return page.table((name, "images", "Dice", "spread", "lowest"), rows)
