"""Make training masks of a teacher's surest test cars."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.manifest import read_manifest
from carvana.errors import main_guard
from carvana.geometry import GEOMETRIES
from carvana.pseudo_labels.choice import wanted_cars
from carvana.pseudo_labels.labels import write_labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=Path, nargs="+", required=True, help="the teacher's tables of all shards")
    parser.add_argument("--manifest", type=Path, required=True, help="of the test images")
    parser.add_argument("--training-manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--cars", type=int, help="to choose (default: by the ratio)")
    parser.add_argument("--ratio", type=float, required=True, help="cars to choose for every training car")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument("--masks", type=Path, required=True, help="folder for the masks")
    parser.add_argument("--out", type=Path, required=True, help="manifest to write, of the chosen images")
    parser.add_argument("--ranking", type=Path, required=True, help="CSV to write, of all test cars")
    parser.add_argument("--labels", type=Path, required=True, help="CSV to write, of the chosen images")
    given = parser.parse_args()
    training_cars = len(read_manifest(given.training_manifest).cars)
    wanted = wanted_cars(given.cars, given.ratio, training_cars)
    outputs = {"manifest": given.out, "ranking": given.ranking, "labels": given.labels}
    size_HW = GEOMETRIES[given.geometry].image_size
    manifest = read_manifest(given.manifest)
    ranked = write_labels(given.candidates, manifest, wanted, size_HW, given.masks, outputs)
    chosen = [car for car in ranked if car.chosen]
    surest, least = chosen[0].uncertainty, chosen[-1].uncertainty
    print(f"{len(chosen)} of {len(ranked)} test cars, uncertainty {surest:.3f} to {least:.3f}")
    if len(chosen) < wanted:
        print(f"warning: {wanted} were wanted, and there are no more")
    if len(chosen) <= training_cars:
        print(f"warning: the training set has {training_cars} cars; more pseudo-labels than that are advised")


if __name__ == "__main__":
    main_guard(main)
