"""Predict with the mean training mask and with a colour threshold, out of fold and for the test images."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.baselines import FITS, learn_by_fold, masks_of_test_images, out_of_fold_masks
from carvana.data.imageset import ImageSet
from carvana.data.manifest import read_manifest
from carvana.errors import main_guard
from carvana.files import write_table
from carvana.folds import read_folds
from carvana.geometry import GEOMETRIES
from carvana.submission.mask_table import COLUMNS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--test-manifest", type=Path, help="of the test images, if they are to be predicted too")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    for name in FITS:
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=Path, nargs="+", required=True, metavar="OUT", help="out of fold, test")
    given = parser.parse_args()
    training = ImageSet(read_manifest(given.manifest))
    folds = read_folds(given.folds)
    parts = learn_by_fold(training, folds, GEOMETRIES[given.geometry])
    for name in FITS:
        write_table(getattr(given, name)[0], COLUMNS, out_of_fold_masks(training, folds, parts, name))
        if given.test_manifest:
            test = ImageSet(read_manifest(given.test_manifest))
            write_table(getattr(given, name)[1], COLUMNS, masks_of_test_images(test, parts, name))


if __name__ == "__main__":
    main_guard(main)
