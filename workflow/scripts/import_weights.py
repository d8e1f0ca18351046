"""Take one network's weights from a checkpoint that was trained elsewhere, in place of a training."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.computing.precision import PRECISIONS
from carvana.errors import main_guard
from carvana.geometry import GEOMETRIES
from carvana.recipe_files import EDITIONS, all_model_names, load_recipe
from carvana.released.importing import import_network
from carvana.released.record import imported_record
from carvana.training.metadata import write_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=all_model_names(), required=True)
    parser.add_argument("--edition", choices=EDITIONS, required=True)
    parser.add_argument("--fold", type=int, required=True, help="that the network counts as")
    parser.add_argument("--folds", type=int, required=True, help="how many the cars are cut into")
    parser.add_argument("--networks", type=int, nargs="+", help="the folds that the run has (default: all)")
    parser.add_argument("--checkpoint", type=Path, required=True, help=".safetensors of ours, or a file of PyTorch's")
    parser.add_argument("--index", type=Path, help="weights.json beside it, which says what it was packed as")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument("--precision", choices=PRECISIONS, required=True)
    parser.add_argument("--weights", type=Path, required=True, help=".safetensors to write")
    parser.add_argument("--recipe", type=Path, required=True, help="YAML to write")
    given = parser.parse_args()
    recipe = load_recipe(given.model, edition=given.edition)
    found = import_network(recipe, given.fold, given.checkpoint, given.weights, given.index)
    run = {"geometry": given.geometry, "precision": given.precision, "folds": given.folds, "networks": given.networks}
    write_recipe(imported_record(given.model, given.edition, given.fold, run, found), given.recipe)
    print(f"{given.weights}: from {given.checkpoint} ({found['format']}, SHA-256 {found['checkpoint_sha256']})")


if __name__ == "__main__":
    main_guard(main)
