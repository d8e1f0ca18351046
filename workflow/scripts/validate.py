"""Map and score every training image by the network that did not train on its car."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.manifest import read_manifest
from carvana.errors import main_guard
from carvana.folds import read_folds
from carvana.prediction.conditions import Conditions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    Conditions.add_arguments(parser)
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--folds", type=Path, required=True, help="CSV: car, fold")
    parser.add_argument("--maps", type=Path, required=True, help="map store to write")
    parser.add_argument("--dice", type=Path, required=True, help="CSV to write: img, car, view, fold, dice")
    parser.add_argument("--timings", type=Path, required=True, help="JSON to write")
    given = parser.parse_args()
    manifest, folds = read_manifest(given.manifest), read_folds(given.folds)
    conditions = Conditions.leased(given)

    # Imported late: the lease must come before torch, and wrong arguments should not wait for it.
    from carvana.prediction.run import validate

    validate(conditions, manifest, folds, given.maps, given.dice, given.timings)


if __name__ == "__main__":
    main_guard(main)
