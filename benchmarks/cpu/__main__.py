"""What full-size images cost on one CPU core, beside the published flow: `make bench`, three to six minutes.

Both sides of a row are timed in turns in one process, on the same inputs, so that a noisy neighbour meets both. The
result is written to benchmarks/results/<machine and libraries>.json: medians, or means over a recipe's draws; ratios.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.cpu.commands import TEST_IMAGES, planning, scoring
from benchmarks.cpu.masks import masks_and_maps
from benchmarks.cpu.photos import Photos
from benchmarks.cpu.prediction import MODELS, prediction_alone
from benchmarks.cpu.rows import Row
from benchmarks.cpu.training import training_samples
from benchmarks.results import conditions, write_result
from carvana.computing.runtime import configure
from carvana.errors import main_guard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=64, help="repetitions of each step")
    parser.add_argument("--images", type=int, default=TEST_IMAGES, help="rows of the submission that is scored")
    given = parser.parse_args()
    configure(1, "exact")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        photos = Photos.drawn(folder / "drawn")
        for step in (
            training_samples(photos, folder, given.times),
            (row for model in MODELS for row in prediction_alone(photos, folder, model)),
            masks_and_maps(photos, folder, given.times),
            scoring(photos, folder, given.images),
            iter([planning(3)]),
        ):
            for row in step:
                rows.append(row)
                before = f"{row.published:9.2f}" if row.published else "        -"
                ratio = f"{row.ratio:6.1f} x" if row.ratio else " " * 8
                target = f"  at most {row.target:.2f}" if row.target else ""
                print(f"{row.step:60} {before} {row.ours:9.2f} {row.unit:3} {ratio}{target}", flush=True)
    found = conditions()
    libraries = [word for word in found["packages"].split() if word.startswith(("opencv", "numpy"))]
    document = {"conditions": found, "rows": [asdict(row) | {"ratio": row.ratio} for row in rows]}
    write_result([found["processor"], *libraries], document)


if __name__ == "__main__":
    main_guard(main)
