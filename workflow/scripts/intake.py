"""Check the images of one split and write their manifest."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.intake import take_in
from carvana.data.listing import Counts
from carvana.data.manifest import write_manifest
from carvana.errors import main_guard
from carvana.geometry import GEOMETRIES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder in Kaggle's layout, packed or not")
    parser.add_argument("--split", choices=("train", "test"), required=True)
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument("--work-dir", type=Path, required=True, help="for unpacked archives and reduced images")
    parser.add_argument("--manifest", type=Path, required=True, help="CSV to write")
    parser.add_argument("--expected-cars", type=int, help="published number of cars; needs --expected-images")
    parser.add_argument("--expected-images", type=int, help="published number of images; needs --expected-cars")
    parser.add_argument("--workers", type=int, default=1, help="threads that read and decode")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    given = parser.parse_args()
    if (given.expected_cars is None) != (given.expected_images is None):
        parser.error("--expected-cars and --expected-images go together")
    expected = None if given.expected_cars is None else Counts(given.expected_cars, given.expected_images)
    geometry = GEOMETRIES[given.geometry]
    manifest = take_in(given.data, given.split, geometry, given.work_dir, expected, given.workers, given.quiet)
    write_manifest(manifest, given.manifest)


if __name__ == "__main__":
    main_guard(main)
