"""Run the sample with several seeds, and write the bands of its figures into config/sample_bands.yaml.

    python -m benchmarks.sample_bands --seeds 1 2 3 4 5 --precision exact

Runs that are complete are not repeated. The drawn competition is the same in all of them, as in `make sample`.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from typing import Final

from benchmarks.results import ROOT
from benchmarks.sample import overlay, run_sample
from carvana.computing.precision import PRECISIONS
from carvana.errors import UserError, main_guard
from carvana.figures.bands import LEAST_RUNS, write_bands
from carvana.figures.of_run import bands_of, figures_of
from carvana.provenance import package_versions

BANDS: Final = ROOT / "config/sample_bands.yaml"


def conditions(seeds: Sequence[int], precision: str) -> dict[str, object]:
    """What the figures depend on."""
    return {
        "configuration": overlay(precision),
        "seeds": list(seeds),
        "packages": package_versions(),
        "machine": platform.machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help=f"at least {LEAST_RUNS}")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--precision", choices=PRECISIONS, required=True)
    given = parser.parse_args()
    if len(set(given.seeds)) < LEAST_RUNS:
        raise UserError(f"{len(set(given.seeds))} seeds: a band needs at least {LEAST_RUNS}")
    runs = [
        run_sample(f"sample-seed{seed}", ["scores.csv"], seed, given.precision, given.cores, gpus=0)
        for seed in given.seeds
    ]
    bands = bands_of([figures_of(results) for results in runs])
    write_bands(bands, conditions(given.seeds, given.precision), BANDS)
    for figure, made in bands.items():
        print(f"{figure:52} {made.mean:.4f} +- {made.deviation:.4f}   {made.low:.4f} .. {made.high:.4f}")
    print(f"in {BANDS.relative_to(ROOT)}")


if __name__ == "__main__":
    main_guard(main)
