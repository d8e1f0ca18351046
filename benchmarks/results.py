"""What the benchmarks share: where their results lie, one file for each machine and set of libraries; intervals."""

from __future__ import annotations

import math
import platform
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from carvana.computing.cpu import cpu_name
from carvana.figures.bands import student_quantile
from carvana.files import write_json
from carvana.provenance import package_versions

ROOT: Final = Path(__file__).resolve().parents[1]


def mean_with_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of at least two values that scatter normally, and the ends of its 95 % interval (Student's t)."""
    mean = statistics.fmean(values)
    half = student_quantile(0.975, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def conditions() -> dict[str, str]:
    """What the numbers depend on."""
    return {"processor": cpu_name(), "python": platform.python_version(), "packages": package_versions()}


def keep_result(named_after: Sequence[str], document: Mapping[str, Any]) -> Path:
    """Write a result, or what there is of it so far, into the file that is named after these conditions: its path."""
    name = re.sub(r"[^a-z0-9.]+", "-", " ".join(named_after).lower()).strip("-")
    path = ROOT / "benchmarks/results" / f"{name}.json"
    write_json(path, document)
    return path


def write_result(named_after: Sequence[str], document: Mapping[str, Any]) -> None:
    """`keep_result`, and say where."""
    print(f"in {keep_result(named_after, document).relative_to(ROOT)}")
