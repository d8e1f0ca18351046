"""A run's figures digit for digit: the same on the same kind of CPU, with the same packages, configuration and seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from carvana.files import whole_file
from carvana.reading import read_json, read_yaml, readable

# As many as the score table has.
DECIMALS: Final = 6


@dataclass(frozen=True)
class Digits:
    """A run's figures and what decides their last digits.

    Attributes:
        cpu: see `cpu.cpu_kind`.
        packages: see `provenance.package_versions`.
        configuration: overlay of the run.
        figures: see `of_run.figures_of`, rounded to `DECIMALS`.
    """

    cpu: str
    packages: str
    configuration: Mapping[str, Any]
    figures: Mapping[str, float]


def digits_of(figures: Mapping[str, float]) -> dict[str, float]:
    """Figures as they are compared."""
    return {figure: round(value, DECIMALS) for figure, value in figures.items()}


def cpus_of(results: Path) -> set[str]:
    """The kinds of CPU, or GPUs, that the run under a results folder was trained and validated on.

    Raises:
        UserError: what a job wrote about itself is damaged.
    """
    found = set()
    for path in sorted([*results.glob("models/*/fold*/timings.json"), *results.glob("oof/*/timings.json")]):
        with readable(path, "run the step that made it again"):
            document = read_json(path)
            on_cpu = document["device"] == "cpu"
            found.add(str(document["environment"].get("cpu") if on_cpu else document["device_name"]))
    return found


def write_digits(digits: Digits, path: Path) -> None:
    """Write the figures and their conditions as YAML."""
    with whole_file(path) as partial:
        partial.write_text(yaml.safe_dump(vars(digits), sort_keys=False, width=120), encoding="utf-8")


def read_digits(path: Path) -> Digits:
    """Read what `write_digits` wrote.

    Raises:
        UserError: no such file, or it holds something else.
    """
    with readable(path, "`make digits` measures the figures of the sample"):
        return Digits(**read_yaml(path))
