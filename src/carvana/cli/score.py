"""Score a submission against true masks."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.geometry import FULL, GEOMETRIES
from carvana.grading.dice import dice_by_image, mean_dice
from carvana.grading.given_truth import read_truth
from carvana.text import score, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("file", type=Path, help="submission or table of masks: .csv, .csv.gz, or .zip of one .csv")
    parser.add_argument(
        "--truth",
        type=Path,
        required=True,
        help="folder or .zip of *_mask.gif, or table with img, rle_mask and perhaps usage (Public, Private, Ignored)",
    )
    parser.add_argument(
        "--geometry", choices=tuple(GEOMETRIES), default=FULL.name, help="full: 1280x1918 masks, Kaggle's"
    )


def run(given: argparse.Namespace) -> None:
    """Print the mean Dice of the true masks' images, by part. Raises UserError when it cannot be computed."""
    geometry = GEOMETRIES[given.geometry]
    truth = read_truth(given.truth, geometry)
    scored = {name: runs for part in truth.values() for name, runs in part.items()}
    dice = dice_by_image([given.file], scored, geometry.image_size)
    rows = [
        (part.lower(), str(len(masks)), score(mean_dice(dice[name] for name in masks))) for part, masks in truth.items()
    ]
    print(table(("part", "images", "mean Dice"), rows))
