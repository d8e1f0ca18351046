"""Where a figure of another run of the same configuration lies: prediction intervals from repeated runs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import yaml

from carvana.errors import UserError
from carvana.files import whole_file

LEAST_RUNS: Final = 5
# Student's t, quantile 0.995, by degrees of freedom.
_T_995: Final = {4: 4.6041, 5: 4.0321, 6: 3.7074, 7: 3.4995, 8: 3.3554, 9: 3.2498}


@dataclass(frozen=True)
class Band:
    """The 99 % prediction interval of one more run's figure, and what it was made from.

    Attributes:
        runs: number of repeated runs.
        mean: of their figures.
        deviation: their standard deviation, with n - 1.
        low: lower end.
        high: upper end.
    """

    runs: int
    mean: float
    deviation: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a figure lies in the band, its ends included."""
        return self.low <= value <= self.high


def band(values: Sequence[float], highest: float = math.inf) -> Band:
    """The 99 % prediction interval, mean +- t s sqrt(1 + 1/n), for figures that scatter normally.

    Args:
        values: of the figure, from 0 to `highest`; the band ends there too.
        highest: 1 for a Dice.

    Raises:
        ValueError: fewer runs than `LEAST_RUNS`, or more than 10.
    """
    runs = len(values)
    if runs < LEAST_RUNS or runs - 1 not in _T_995:
        raise ValueError(f"a band is made from {LEAST_RUNS} to 10 runs, not from {runs}")
    mean, deviation = statistics.fmean(values), statistics.stdev(values)
    reach = _T_995[runs - 1] * deviation * math.sqrt(1 + 1 / runs)
    return Band(runs, mean, deviation, max(mean - reach, 0.0), min(mean + reach, highest))


def write_bands(bands: Mapping[str, Band], conditions: Mapping[str, object], path: Path) -> None:
    """Write bands by figure, and the conditions that they were measured under, as YAML."""
    rows = {row: {key: _rounded(value) for key, value in asdict(one).items()} for row, one in bands.items()}
    with whole_file(path) as partial:
        partial.write_text(yaml.safe_dump({"conditions": dict(conditions), "bands": rows}, sort_keys=False))


def _rounded(value: float | int) -> float | int:
    return round(value, 4) if isinstance(value, float) else value


def read_bands(path: Path) -> dict[str, Band]:
    """Bands by figure.

    Raises:
        UserError: no such file, or it holds something else.
    """
    try:
        rows = yaml.safe_load(path.read_text())["bands"]
        return {row: Band(**values) for row, values in rows.items()}
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; `make bands` measures the bands of the sample") from None
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} holds no bands ({error}); `make bands` measures those of the sample") from None
