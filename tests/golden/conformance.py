"""Runs the golden tests and writes what they measured, recipe by recipe, to docs/conformance.md.

    python -m tests.golden.conformance

Exits with pytest's status: 0 only if all tests passed.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from carvana.verification.conformance import measured_code, measuring_packages
from tests.golden.compare import COMPARISONS, Comparison

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "conformance.md"
RECIPES = ("ternausnet", "linknet34", "unet_scratch", "unet_vgg11", "ensemble")

INTRODUCTION = """# Conformance

What `make conformance` measured: each recipe's properties against the golden values, which the winners' published
programs computed. *Values* says how many were compared, *measured* is the largest deviation among them. The folds are
compared with their published digests; gradient clipping and the U-Nets' masks, of which there are no golden values,
with their definitions.

Forward passes are compared in float32, but the U-Nets' in training mode in float64: in float32 that of unet_scratch
deviated by 1.001e-4 on a CPU without AVX-512, a thousandth more than is allowed.

Measured with Python {python} on {machine}, {packages}.

Code: `{code}`.
"""


def row(comparisons: list[Comparison]) -> str:
    """The table's row of one property, from all its comparisons."""
    first = comparisons[0]
    deviation = max(comparison.deviation for comparison in comparisons)
    if first.allowed == "equal":
        differing = sum(int(comparison.deviation) for comparison in comparisons)
        measured = f"{differing} differ" if differing else "equal"
    else:
        measured = f"{deviation:.1e}" if deviation else "0"
    values = sum(comparison.values for comparison in comparisons)
    verdict = "holds" if all(comparison.holds for comparison in comparisons) else "**FAILS**"
    return f"| {first.what} | {values:,} | {first.allowed} | {measured} | {verdict} |"


def table(comparisons: Iterable[Comparison]) -> str:
    """One recipe's properties, in the order in which they were first compared."""
    properties: dict[tuple[str, str], list[Comparison]] = {}
    for comparison in comparisons:
        properties.setdefault((comparison.what, comparison.allowed), []).append(comparison)
    head = "| property | values | allowed | measured | verdict |\n|---|---:|---|---|---|\n"
    return head + "\n".join(map(row, properties.values())) + "\n"


def main() -> None:
    status = pytest.main(["-q", str(HERE)])
    sections = [
        f"## {recipe}\n\n{table(comparison for comparison in COMPARISONS if comparison.recipe == recipe)}"
        for recipe in RECIPES
    ]
    introduction = INTRODUCTION.format(
        python=platform.python_version(),
        machine=platform.machine(),
        packages=measuring_packages(),
        code=measured_code(),
    )
    result = (
        "All golden tests pass.\n" if status == 0 else "**Golden tests fail**; what they did not reach is missing.\n"
    )
    print("\n".join(sections))
    print(result)
    ends = (HERE / "where_exactness_ends.md").read_text()
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text("\n".join([introduction, result, *sections, ends]))
    sys.exit(status)


if __name__ == "__main__":
    main()
