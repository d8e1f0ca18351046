"""Draw a small competition in Kaggle's layout, with the hidden truth of its test images."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.synthetic.dataset import write_competition
from carvana.errors import main_guard
from carvana.geometry import GEOMETRIES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write, in Kaggle's layout")
    parser.add_argument("--seed", type=int, required=True, help="the same seed gives the same bytes")
    parser.add_argument("--train-cars", type=int, required=True, help="cars with masks, 16 images each")
    parser.add_argument("--test-cars", type=int, required=True, help="cars whose masks are in solution.csv alone")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True, help="small: 64x94, full: 1280x1918")
    parser.add_argument("--archives", action="store_true", help="zip archives, as Kaggle's, instead of folders")
    given = parser.parse_args()
    size_HW = GEOMETRIES[given.geometry].image_size
    write_competition(given.out, given.seed, given.train_cars, given.test_cars, size_HW, given.archives)


if __name__ == "__main__":
    main_guard(main)
