"""The section of the report on what the ensemble gains over its parts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from carvana.catalogue import MEMBERS, RECIPES
from carvana.grading.score_table import numbered_notes
from carvana.grading.scores import DICE_PARTS
from carvana.report import page
from carvana.report.page import Cell, Section
from carvana.report.record import RunRecord

_LEVELS: Final = ("model", "recipe", "member", "ensemble")


def gains(run: RunRecord) -> Section:
    """What the ensemble gains over its parts, and what the unreliable-top rule does."""
    scores = [row for row in run.scores if row.level in _LEVELS]
    notes, numbers = numbered_notes([row.note for row in scores])
    columns = ("name", "level", *DICE_PARTS, "images", "notes")
    rows: list[Sequence[Cell]] = [
        (row.name, row.level, *row.dice, row.images, told) for row, told in zip(scores, numbers, strict=True)
    ]
    plain = statistics.fmean(row.plain_mean for row in run.images)
    means: dict[str, float] = {"mean of the four recipes' maps": plain}
    for member in MEMBERS:
        means[f"without {member}"] = statistics.fmean(getattr(row, f"without_{member}") for row in run.images)
    for recipe in RECIPES:
        means[f"{recipe} alone"] = statistics.fmean(getattr(row, recipe) for row in run.images)
    left: list[Sequence[Cell]] = [(name, value, value - plain) for name, value in means.items()]
    acted = [row for row in run.images if row.rule_acted]
    submitted = statistics.fmean(row.ensemble for row in run.images)
    better = sum(row.ensemble > row.plain_mean for row in acted)
    body = page.heading("Every part alone") + page.table(columns, rows)
    body += "".join(page.text(f"[{number}] {note}", "faint") for number, note in enumerate(notes, start=1))
    body += page.heading("Leave one out") + page.text(
        "Out-of-fold Dice of plain means, without the unreliable-top rule.", "faint"
    )
    body += page.table(("what", "Dice", "difference from all"), left)
    body += page.heading("The unreliable-top rule") + page.table(
        ("rule", "Dice"), [("on, as submitted", submitted), ("off", plain), ("difference", submitted - plain)]
    )
    body += page.text(
        f"The rule acted on {len(acted):,} of {len(run.images):,} training images; it made {better:,} of them better."
    )
    return Section("gains", "What the ensemble gains", body)
