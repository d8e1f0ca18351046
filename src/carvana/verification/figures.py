"""Do Dice and training loss lie where repeated runs of the same configuration lie?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from carvana.figures.bands import Band
from carvana.verification.check import Check, compared, unexpected

UNPUBLISHED: Final = "never published, and nobody has repeated runs of this configuration"


def check_figures(figures: Mapping[str, float], bands: Mapping[str, Band], conditions: str) -> list[Check]:
    """Every figure of the run against its band; a figure that has a band and was not made fails.

    Args:
        figures: see `of_run.figures_of`.
        bands: by figure; empty where there are none of this configuration.
        conditions: that the bands were measured under, in words.
    """
    checks = []
    for figure in [*figures, *(figure for figure in bands if figure not in figures)]:
        group, what = figure.split("/", 1)
        value, band = figures.get(figure), bands.get(figure)
        measured = "not made" if value is None else f"{value:.4f}"
        if band is None:
            checks.append(unexpected(group, what, measured, UNPUBLISHED))
            continue
        holds = value is not None and band.holds(round(value, 4))
        limits = f"{band.low:.4f} .. {band.high:.4f}"
        source = f"{len(band.values)} runs, s = {band.deviation:.4f}{conditions}"
        checks.append(compared(group, what, f"{band.mean:.4f}", limits, measured, source, holds=holds))
    return checks
