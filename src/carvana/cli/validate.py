"""Check a submission file: columns, names, order, and every mask."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from carvana.geometry import FULL, GEOMETRIES
from carvana.submission.check import validate_submission
from carvana.submission.mask_table import sample_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", type=Path, help=".csv, .csv.gz, or .zip of one .csv")
    parser.add_argument("--names", type=Path, help="sample_submission, .csv or packed: its names, in its order")
    parser.add_argument(
        "--geometry", choices=tuple(GEOMETRIES), default=FULL.name, help="full: 1280x1918 masks, Kaggle's"
    )


def run(given: argparse.Namespace) -> None:
    """Print that the file is valid. Raises UserError that lists its problems."""
    names = sample_names(given.names) if given.names else None
    geometry = GEOMETRIES[given.geometry]
    report = validate_submission(given.file, names, geometry.image_size)
    unchecked = "" if names else "; whether these are Kaggle's images, in its order, was not checked (give --names)"
    print(f"{given.file}: {report.images:,} images, valid{unchecked}")
    # Every car of the competition reaches far below the middle of its image.
    if report.lowest_row <= geometry.image_size[0] // 2:
        print(
            f"warning: no mask reaches below row {report.lowest_row} of {geometry.image_size[0]}: are these masks of"
            " images of another size (--geometry), or of none?",
            file=sys.stderr,
        )
