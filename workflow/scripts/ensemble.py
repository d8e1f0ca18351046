"""Make the ensemble's masks from the four recipes' maps, with the unreliable-top rule."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.arrays import Levels, Mask
from carvana.catalogue import RECIPES
from carvana.errors import main_guard
from carvana.geometry import GEOMETRIES
from carvana.maps.ensemble_masks import ensemble_recipes
from carvana.pseudo_labels.candidates import Candidate, candidate, write_candidates
from carvana.pseudo_labels.uncertainty import uncertainty_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for recipe in RECIPES:
        parser.add_argument(f"--{recipe.replace('_', '-')}", type=Path, required=True, help="its store of 8-bit maps")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument("--out", type=Path, required=True, help="CSV to write: img, rle_mask, fired (0 or 1)")
    parser.add_argument("--common", action="store_true", help="only the images that all recipes have maps of")
    parser.add_argument("--candidates", type=Path, help="CSV to write: the masks, and how sure the mean map is of them")
    parser.add_argument("--unclear", type=int, nargs=2, help="levels of it that are neither car nor background")
    given = parser.parse_args()
    found: list[Candidate] = []

    def note(name: str, mean_HW: Levels, mask_HW: Mask) -> None:
        if given.candidates:
            found.append(candidate(name, mask_HW, uncertainty_of(mean_HW, mask_HW, tuple(given.unclear))))

    stores = {recipe: getattr(given, recipe) for recipe in RECIPES}
    report = ensemble_recipes(stores, GEOMETRIES[given.geometry], given.out, given.common, note)
    if given.candidates:
        write_candidates(given.candidates, found)
    print(f"{report.images} images; the unreliable-top rule acted on {len(report.fired)}")
    if report.top_clamped:
        names = ", ".join(report.top_clamped)
        print(f"its box began above the image and was cut there, where the released script fails: {names}")


if __name__ == "__main__":
    main_guard(main)
