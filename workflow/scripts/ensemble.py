"""Make the ensemble's masks from the four recipes' maps, with the unreliable-top rule."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from carvana.catalogue import RECIPES
from carvana.combine import ensemble_recipes
from carvana.errors import main_guard
from carvana.files import whole_file
from carvana.geometry import GEOMETRIES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for recipe in RECIPES:
        parser.add_argument(f"--{recipe.replace('_', '-')}", type=Path, required=True, help="its store of 8-bit maps")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument("--out", type=Path, required=True, help="CSV to write: img, rle_mask, fired (0 or 1)")
    parser.add_argument("--report", type=Path, required=True, help="JSON to write: images, fired, top_clamped")
    parser.add_argument("--common", action="store_true", help="only the images that all recipes have maps of")
    given = parser.parse_args()
    stores = {recipe: getattr(given, recipe) for recipe in RECIPES}
    report = ensemble_recipes(stores, GEOMETRIES[given.geometry], given.out, given.common)
    with whole_file(given.report) as partial:
        partial.write_text(json.dumps(asdict(report), indent=1) + "\n")
    print(f"{report.images} images; the unreliable-top rule acted on {len(report.fired)}")
    if report.top_clamped:
        names = ", ".join(report.top_clamped)
        print(f"its box began above the image and was cut there, where the released script fails: {names}")


if __name__ == "__main__":
    main_guard(main)
