"""Merge the networks of one model, or of all models of one recipe, as their author did."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.errors import main_guard
from carvana.maps.combine import merge_networks
from carvana.maps.merging import merge_rule
from carvana.recipe_files import EDITIONS, all_model_names, load_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sums", type=Path, nargs="+", required=True, help="stores of the models' sums")
    parser.add_argument("--model", choices=all_model_names(), required=True, help="the model, or any of its recipe's")
    parser.add_argument("--edition", choices=EDITIONS, required=True)
    parser.add_argument("--name", required=True, help="of the model or recipe, recorded in the maps")
    parser.add_argument("--masks", type=Path, required=True, help="CSV to write: img, rle_mask")
    parser.add_argument("--out", type=Path, help="store of 8-bit maps to write, if they are wanted")
    parser.add_argument("--common", action="store_true", help="only the images that all models have maps of")
    given = parser.parse_args()
    rule = merge_rule(load_recipe(given.model, edition=given.edition))
    merge_networks(given.sums, rule, given.name, given.masks, given.out, given.common)


if __name__ == "__main__":
    main_guard(main)
