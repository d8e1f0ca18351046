"""Run the sample with several seeds, and write the bands of its out-of-fold scores into config/sample_bands.yaml.

    python benchmarks/sample_bands.py --seeds 1 2 3 4 5

Runs that are complete are not repeated. The drawn competition is the same in all of them, as in `make sample`.
"""

from __future__ import annotations

import argparse
import csv
import platform
import subprocess
from pathlib import Path

import torch
import yaml

from carvana.bands import LEAST_RUNS, band, write_bands
from carvana.errors import UserError, main_guard

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "config/sample.yaml"
BANDS = ROOT / "config/sample_bands.yaml"


def run_sample(seed: int, cores: int) -> Path:
    """The table of scores of the sample's run with a seed."""
    scores = ROOT / f"results/sample-seed{seed}/scores.csv"
    command = ["snakemake", f"results/sample-seed{seed}/scores.csv", "--cores", str(cores), "--resources", "gpu=0"]
    command += ["--quiet", "rules", "progress", "host", "--configfile", str(SAMPLE)]
    command += ["--config", f"run=sample-seed{seed}", f"seed={seed}"]
    subprocess.run(command, cwd=ROOT, check=True)
    return scores


def out_of_fold(scores: Path) -> dict[str, float]:
    """Out-of-fold Dice by `<level>/<name>`, without the baselines, which no seed changes."""
    with scores.open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["level"] != "baseline"]
    return {f"{row['level']}/{row['name']}": float(row["out_of_fold"]) for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help=f"at least {LEAST_RUNS}")
    parser.add_argument("--cores", type=int, default=2)
    given = parser.parse_args()
    if len(set(given.seeds)) < LEAST_RUNS:
        raise UserError(f"{len(set(given.seeds))} seeds: a band needs at least {LEAST_RUNS}")
    runs = [out_of_fold(run_sample(seed, given.cores)) for seed in given.seeds]
    bands = {row: band([run[row] for run in runs]) for row in runs[0]}
    conditions = {
        "configuration": yaml.safe_load(SAMPLE.read_text()),
        "seeds": given.seeds,
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
    write_bands(bands, conditions, BANDS)
    for row, made in bands.items():
        print(f"{row:40} {made.mean:.4f} +- {made.deviation:.4f}   {made.low:.4f} .. {made.high:.4f}")
    print(f"in {BANDS.relative_to(ROOT)}")


if __name__ == "__main__":
    main_guard(main)
