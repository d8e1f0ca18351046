"""The sample as benchmarks use it: its configuration, and the finished run of `make sample`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.results import ROOT
from carvana.errors import UserError

CONFIG: Final = ROOT / "config/sample.yaml"
SAMPLE: Final = Path("results/sample")


def overlay(precision: str) -> dict[str, Any]:
    """The sample's configuration with this precision."""
    configuration: dict[str, Any] = yaml.safe_load(CONFIG.read_text())
    return configuration | {"precision": precision}


def finished_precision() -> str:
    """The precision that `make sample` chose for this CPU.

    Raises:
        UserError: there is no finished sample.
    """
    paths = sorted((ROOT / SAMPLE).glob("models/*/fold*/recipe.yaml"))
    if not paths:
        raise UserError(f"{SAMPLE} has no networks: `make sample` first")
    return str(yaml.safe_load(paths[0].read_text())["run"]["precision"])
