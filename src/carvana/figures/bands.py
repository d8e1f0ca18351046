"""Where the figures of another run of the same configuration lie: prediction intervals from repeated runs.

They hold for a whole run: if figures scatter normally, in 99 % of runs all lie in their bands. Forty independent
intervals of 99 % each would call every third sound run unsound.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import yaml

from carvana.files import whole_file
from carvana.reading import read_yaml, readable

LEAST_RUNS: Final = 5
OUTSIDE: Final = 0.01


@dataclass(frozen=True)
class Spread:
    """How figures of one kind scatter from run to run.

    Attributes:
        deviation: their standard deviation.
        freedom: its degrees of freedom.
    """

    deviation: float
    freedom: int


@dataclass(frozen=True)
class Band:
    """The prediction interval of one more run's figure, and what it was made from.

    Attributes:
        values: the figures of the repeated runs.
        deviation: of figures of its kind.
        freedom: degrees of freedom of the deviation.
        low: lower end.
        high: upper end.
    """

    values: tuple[float, ...]
    deviation: float
    freedom: int
    low: float
    high: float

    @property
    def mean(self) -> float:
        """Mean of the repeated runs' values."""
        return statistics.fmean(self.values)

    def holds(self, value: float) -> bool:
        """Whether a figure lies in the band, its ends included."""
        return self.low <= value <= self.high


def pooled(kind: Iterable[Sequence[float]]) -> Spread:
    """The spread that figures share, each around its own mean; a row has one figure's values in the repeated runs."""
    rows = list(kind)
    freedom = sum(len(row) - 1 for row in rows)
    squares = sum(statistics.variance(row) * (len(row) - 1) for row in rows)
    return Spread(math.sqrt(squares / freedom), freedom)


def band(values: Sequence[float], spread: Spread, figures: int, highest: float = math.inf) -> Band:
    """The prediction interval, mean +- t s sqrt(1 + 1/n), for figures that scatter normally.

    Args:
        values: of the figure in the repeated runs, from 0 to `highest`; the band ends there too.
        spread: of figures of its kind.
        figures: of a run, which all lie in their bands in 99 % of runs (Bonferroni).
        highest: 1 for a Dice.

    Raises:
        ValueError: fewer runs than `LEAST_RUNS`.
    """
    if len(values) < LEAST_RUNS:
        raise ValueError(f"a band is made from at least {LEAST_RUNS} runs, not from {len(values)}")
    mean = statistics.fmean(values)
    quantile = student_quantile(1 - OUTSIDE / (2 * figures), spread.freedom)
    reach = quantile * spread.deviation * math.sqrt(1 + 1 / len(values))
    low, high = max(mean - reach, 0.0), min(mean + reach, highest)
    return Band(tuple(values), spread.deviation, spread.freedom, low, high)


@cache
def student_quantile(probability: float, freedom: int) -> float:
    """Quantile of Student's t distribution, to six digits.

    Args:
        probability: 0.5..1, both excluded.
        freedom: degrees of freedom, from 1.
    """
    # With t = sqrt(freedom) tan(angle) the density is a power of the cosine, on a finite interval.
    angles = np.linspace(0, math.pi / 2, 200_001)
    density = np.cos(angles) ** (freedom - 1)
    areas = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    angle = np.interp(2 * probability - 1, areas / areas[-1], angles)
    return math.sqrt(freedom) * math.tan(float(angle))


def write_bands(bands: Mapping[str, Band], conditions: Mapping[str, object], path: Path) -> None:
    """Write bands by figure, and the conditions that they were measured under, as YAML."""
    rows = {
        figure: {
            "values": [round(value, 4) for value in one.values],
            "deviation": round(one.deviation, 4),
            "freedom": one.freedom,
            "low": round(one.low, 4),
            "high": round(one.high, 4),
        }
        for figure, one in bands.items()
    }
    document = {"conditions": dict(conditions), "bands": rows}
    with whole_file(path) as partial:
        partial.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def read_bands(path: Path) -> dict[str, Band]:
    """Bands by figure.

    Raises:
        UserError: no such file, or it holds something else.
    """
    with readable(path, "`make bands` measures the bands of the sample"):
        rows = read_yaml(path)["bands"]
        return {row: Band(**{**band, "values": tuple(band["values"])}) for row, band in rows.items()}
