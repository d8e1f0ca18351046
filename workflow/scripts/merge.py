"""Merge the networks of one model, or of all models of one recipe, as their author did."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.combine import MERGE_RULES, merge_networks
from carvana.errors import main_guard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sums", type=Path, nargs="+", required=True, help="stores of the models' sums")
    parser.add_argument("--recipe-merge", choices=tuple(MERGE_RULES), required=True, help="how the author rounded")
    parser.add_argument("--name", required=True, help="of the model or recipe, recorded in the maps")
    parser.add_argument("--masks", type=Path, required=True, help="CSV to write: img, rle_mask")
    parser.add_argument("--out", type=Path, help="store of 8-bit maps to write, if they are wanted")
    given = parser.parse_args()
    merge_networks(given.sums, MERGE_RULES[given.recipe_merge], given.name, given.masks, given.out)


if __name__ == "__main__":
    main_guard(main)
