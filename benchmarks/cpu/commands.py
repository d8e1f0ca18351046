"""Commands as their users wait for them: scoring and planning."""

from __future__ import annotations

import csv
import gzip
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.cost import cost_of
from benchmarks.cpu.photos import Photos
from benchmarks.cpu.rows import Row, in_turns
from benchmarks.results import ROOT
from carvana import rle

TEST_IMAGES: Final = 100_064


def scoring(photos: Photos, folder: Path, images: int) -> Iterator[Row]:
    """Scoring a whole submission against a truth of its size, beside the time of decompressing both."""
    kinds = [rle.encode(np.roll(car, shift, axis=1)) for car in photos.cars for shift in range(0, 96, 8)]
    files = {"submission": 0, "truth": 1}
    for name, first in files.items():
        with gzip.open(folder / f"{name}.csv.gz", "wt", compresslevel=6, newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["img", "rle_mask"])
            rows.writerows([f"{n:012x}_01.jpg", kinds[(n * 7 + first) % len(kinds)]] for n in range(images))
    # Else the system would be writing them while they are read.
    os.sync()
    begun = time.perf_counter()
    for name in files:
        with gzip.open(folder / f"{name}.csv.gz", "rb") as packed:
            while packed.read(2**20):
                pass
    decompressing = time.perf_counter() - begun
    command = [sys.executable, "-m", "carvana", "score", str(folder / "submission.csv.gz")]
    command += ["--truth", str(folder / "truth.csv.gz")]
    begun = time.perf_counter()
    cost = cost_of(command)
    seconds = time.perf_counter() - begun
    yield Row(f"score of {images} images, times decompressing both", "x", None, seconds / decompressing, 2)
    yield Row(f"memory of that score of {images} images", "GB", None, cost.megabytes / 1000, 1)


def planning(times: int) -> Row:
    """`snakemake -n` of the full reproduction, before any data is there."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["snakemake", "-n", "--quiet", "all", "--cores", "8", "--resources", "gpu=4"]
        command += ["--config", f"results={folder}"]
        (found,) = in_turns(times, lambda _: subprocess.run(command, cwd=ROOT, check=True, capture_output=True))
    return Row("snakemake -n of the full reproduction", "s", None, statistics.median(found) / 1000, 5)
