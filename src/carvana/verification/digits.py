"""Are a run's figures those of another run under the same conditions, digit for digit?"""

from __future__ import annotations

from collections.abc import Mapping, Set

from carvana.figures.digits import DECIMALS, Digits, digits_of
from carvana.verification.check import Check, compared, unexpected


def check_digits(figures: Mapping[str, float], cpus: Set[str], packages: str, expected: Digits | None) -> list[Check]:
    """Under conditions like the expectation's nothing is left to chance: one digit that differs fails.

    Args:
        figures: of the run, see `of_run.figures_of`.
        cpus: the kinds of CPU that it was computed on.
        packages: that it was computed with.
        expected: of a run of the same configuration and seed, if there is one.
    """
    if expected is None:
        return []
    what, limits = f"{len(expected.figures)} figures", f"equal in {DECIMALS} decimals"
    found = digits_of(figures)
    different = sorted(
        name for name in found.keys() | expected.figures if found.get(name) != expected.figures.get(name)
    )
    measured = f"{len(different)} differ" + (f", first {different[0]}" if different else "")
    if cpus != {expected.cpu}:
        source = f"measured on another kind of CPU ({expected.cpu})"
    elif packages != expected.packages:
        source = f"measured with other packages ({expected.packages})"
    else:
        source = f"one run on the same kind of CPU ({expected.cpu})"
        return [compared("digits", what, "0 differ", limits, measured, source, holds=not different)]
    return [unexpected("digits", what, measured, source, band=limits)]
