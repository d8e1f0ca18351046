"""What everything costs that a GPU is for: `make bench-gpu`, meant to take less than eight minutes on one GPU.

    python -m benchmarks.gpu
    python -m benchmarks.gpu --device cpu --geometry small --seconds 1   (to see that it runs)

Measured first is what the device can do: its matrix rate in every precision, and its memory bandwidth. Then, for every
precision and recipe, in both memory layouts and autotuned (`deterministic: false`): images per second of the forward
passes of a model's networks, alone and through the prediction pipeline from files to compressed maps; images per second
of training steps at the recipe's batch, on data that is on the device and through the loading processes; the most
memory; the shares of the matrix rate and of the bandwidth, by counted operations and bytes. At last LinkNet34 and
TernausNet are trained for a while on drawn images, and the GPU-hours of the whole reproduction are reckoned. The result
is written to benchmarks/results/<device and libraries>.json, after every row what there is of it.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.place import MODELS, Place, ways_of
from benchmarks.gpu.rates import device_rates, measured
from benchmarks.gpu.shares import with_shares
from benchmarks.gpu.whole import really_trained, whole_hours
from benchmarks.results import ROOT, keep_result, write_result
from carvana.computing.lease import lease_one_if_free
from carvana.computing.precision import PRECISIONS
from carvana.computing.runtime import device_name
from carvana.computing.usable import require_usable, unusable
from carvana.data.intake import take_in
from carvana.data.synthetic.dataset import write_competition
from carvana.errors import UserError, main_guard
from carvana.geometry import FULL, GEOMETRIES
from carvana.planning.cost import gflops_of, relative_area
from carvana.provenance import package_versions
from carvana.reading import read_yaml
from carvana.recipe_files import load_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), default=FULL.name)
    parser.add_argument("--seconds", type=float, default=1.5, help="of every measurement")
    parser.add_argument("--training-seconds", type=float, default=20, help="of each of the two real trainings")
    parser.add_argument("--workers", type=int, default=2, help="cores that a GPU has to itself")
    given = parser.parse_args()
    if given.device == "cuda" and lease_one_if_free() == "cpu":
        raise UserError("there is no free GPU to measure; `--device cpu --geometry small` shows that it runs")
    device, geometry = torch.device(given.device), GEOMETRIES[given.geometry]
    require_usable([device], "exact")
    precisions = [precision for precision in PRECISIONS if unusable([device], precision) is None]
    name = device_name(device.type)
    conditions = {"device": name, "geometry": geometry.name, "packages": package_versions(), "seconds": given.seconds}
    gflops = gflops_of(read_yaml(ROOT / "config/published.yaml"))
    names = [name, geometry.name, "torch", torch.__version__]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_competition(folder / "drawn", 2017, 2, 1, geometry.image_size, archives=False)
        images = take_in(folder / "drawn", "train", geometry, folder / "work", quiet=True)
        place = Place(device, geometry, given.seconds, given.workers, images, folder)
        rates = device_rates(place)
        rows: list[dict[str, Any]] = []
        print(rates, flush=True)
        document: dict[str, Any] = {"conditions": conditions, "device": rates, "rows": rows}
        for precision, recipe in product(precisions, map(load_recipe, MODELS.values())):
            for way in ways_of(recipe, precision):
                row = measured(recipe, place, precision, way)
                with_shares(row, rates, recipe, place, gflops[recipe.recipe] * relative_area(recipe, geometry))
                rows.append(row)
                print(row, flush=True)
                if geometry == FULL:
                    document["hours_of_everything"] = {one: whole_hours(rows, one) for one in precisions}
                keep_result(names, document)
        print(document.get("hours_of_everything", "hours of everything: in full geometry only"))
        document["trainings"] = trainings = []
        for recipe_name in ("linknet34", "ternausnet"):
            trainings.append(really_trained(MODELS[recipe_name], place, given.training_seconds))
            print(trainings[-1], flush=True)
            keep_result(names, document)
    write_result(names, document)


if __name__ == "__main__":
    main_guard(main)
