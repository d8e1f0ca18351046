"""The sample as benchmarks use it: its configuration, other runs of it, and the finished run of `make sample`."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.results import ROOT
from carvana.errors import UserError
from carvana.reading import read_yaml

CONFIG: Final = ROOT / "config/sample.yaml"
SAMPLE: Final = Path("results/sample")


def overlay(precision: str) -> dict[str, Any]:
    """The sample's configuration with this precision."""
    configuration: dict[str, Any] = read_yaml(CONFIG)
    return configuration | {"precision": precision}


def run_sample(run: str, targets: Sequence[str], seed: int, precision: str, cores: int, gpus: int) -> Path:
    """The results of a run of the sample's configuration, once these targets, paths within them, are there.

    Raises:
        UserError: snakemake fails; it has said why.
    """
    results = ROOT / "results" / run
    command = ["snakemake", *(f"results/{run}/{target}" for target in targets), "--cores", str(cores)]
    command += ["--resources", f"gpu={gpus}", "--quiet", "rules", "progress", "host", "--configfile", str(CONFIG)]
    command += ["--config", f"run={run}", f"seed={seed}", f"precision={precision}"]
    if subprocess.run(command, cwd=ROOT).returncode:
        raise UserError(f"the run {run} failed, see above; what is done is kept")
    return results


def finished_precision() -> str:
    """The precision that `make sample` chose for this CPU.

    Raises:
        UserError: there is no finished sample.
    """
    paths = sorted((ROOT / SAMPLE).glob("models/*/fold*/recipe.yaml"))
    if not paths:
        raise UserError(f"{SAMPLE} has no networks: `make sample` first")
    return str(read_yaml(paths[0])["run"]["precision"])
