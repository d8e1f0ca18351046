"""Cut the training cars into folds by one of the authors' rules."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.manifest import read_manifest
from carvana.errors import main_guard
from carvana.folds import SCHEMES, assign_folds, check_digest, mask_areas, write_folds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--scheme", choices=tuple(SCHEMES), required=True)
    parser.add_argument("--folds", type=int, required=True, help="number of folds")
    parser.add_argument("--out", type=Path, required=True, help="CSV to write: car, fold")
    parser.add_argument("--expected-digest", help="published SHA-256 of the folds; any other stops the run")
    given = parser.parse_args()
    folds = assign_folds(given.scheme, mask_areas(read_manifest(given.manifest)), given.folds)
    if given.expected_digest is not None:
        check_digest(folds, given.expected_digest)
    write_folds(folds, given.out)


if __name__ == "__main__":
    main_guard(main)
