"""Join the shards' tables of masks into a submission, and check it as a stranger would."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.layout import find_table
from carvana.errors import main_guard
from carvana.geometry import GEOMETRIES
from carvana.submission.check import validate_submission
from carvana.submission.joining import write_submission
from carvana.submission.mask_table import sample_names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--masks", type=Path, nargs="+", required=True, help="tables of masks of all shards")
    parser.add_argument("--data", type=Path, required=True, help="folder with Kaggle's sample_submission")
    parser.add_argument("--work-dir", type=Path, required=True, help="for unpacking it")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument("--out", type=Path, required=True, help="submission to write, .csv.gz")
    given = parser.parse_args()
    names = sample_names(find_table(given.data, "sample_submission", given.work_dir))
    write_submission(given.masks, names, given.out)
    validate_submission(given.out, names, GEOMETRIES[given.geometry].image_size)
    print(f"{given.out}: {len(names)} images, valid")


if __name__ == "__main__":
    main_guard(main)
