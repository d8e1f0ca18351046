"""The section of the report on the two editions, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from carvana.grading.scores import DICE_PARTS, Score
from carvana.report import page
from carvana.report.page import Cell, Section
from carvana.report.record import RunRecord


def editions(run: RunRecord, other: str, others: Sequence[Score]) -> Section:
    """The scores of this edition beside those of the other one.

    Args:
        run: this edition's.
        other: name of the other edition.
        others: its table of scores.
    """
    theirs = {(row.level, row.name): row for row in others}
    rows: list[Sequence[Cell]] = []
    for row in run.scores:
        found = theirs.pop((row.level, row.name), None)
        rows.append((row.level, row.name, *_columns(row, found)))
    rows += [(level, name, *_columns(None, row)) for (level, name), row in theirs.items()]
    columns = ["level", "name"]
    for part in DICE_PARTS:
        columns += [f"{part}, {run.edition}", other, "difference"]
    body = page.text(
        f"Mean Dice of the two editions' runs, which have the same name and lie side by side: {run.edition}, this one,"
        f" and {other}."
    )
    return Section("editions", "The two editions", body + page.table(columns, rows))


def _columns(row: Score | None, other: Score | None) -> list[Cell]:
    cells: list[Cell] = []
    nothing = (None,) * len(DICE_PARTS)
    for one, two in zip(row.dice if row else nothing, other.dice if other else nothing, strict=True):
        cells += [one, two, one - two if one is not None and two is not None else None]
    return cells
