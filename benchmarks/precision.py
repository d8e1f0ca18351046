"""What a precision changes in predictions by the same weights: Dice out of fold, mask pixels, and the time.

    python -m benchmarks.precision --precision bf16                       (on the finished sample)
    python -m benchmarks.precision --run results/full --images 320 --precision tf32

Every training image is predicted by the networks that were not trained on it, in float32 and in the other precision,
and merged as the workflow does. The result is written to benchmarks/results, into a file named after its conditions.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks.results import write_result
from benchmarks.sample import SAMPLE
from carvana.arrays import Mask, Sums
from carvana.catalogue import RECIPES, merged_models
from carvana.computing.precision import PRECISIONS
from carvana.computing.runtime import device_name
from carvana.computing.usable import free_gpu_or_cpu
from carvana.data.imageset import ImageSet
from carvana.data.manifest import read_manifest
from carvana.errors import UserError, main_guard
from carvana.folds import read_folds
from carvana.geometry import Geometry
from carvana.maps import ensemble, postprocess
from carvana.maps.merging import merge_rule
from carvana.mask_runs import Runs, mask_of_runs, runs_of_mask
from carvana.metrics import dice
from carvana.prediction.conditions import Conditions
from carvana.prediction.run import prepare
from carvana.provenance import package_versions
from carvana.recipe_files import load_recipe
from carvana.trained_run import TrainedRun, trained_run

ROWS: Final = (*RECIPES, "ensemble")


@dataclass(frozen=True)
class Predicted:
    """What one precision gives.

    Attributes:
        masks: runs by row and image.
        seconds: from image files to maps.
    """

    masks: dict[str, dict[str, Runs]]
    seconds: float


def predicted(run: TrainedRun, results: Path, names: Sequence[str], device: str, precision: str) -> Predicted:
    """The recipes' and the ensemble's masks of these training images, by networks that were not trained on them."""
    images = ImageSet(read_manifest(results / "data/train.csv"))
    sums: dict[str, dict[str, Sums]] = {name: {} for name in names}
    seconds = 0.0
    for model, files in run.weights.items():
        recipe = load_recipe(model, edition=run.edition)
        folds = read_folds(results / f"folds/{recipe.folds.scheme}.csv")
        fold_of = {name: folds[images.manifest.by_name[name].car] for name in names}
        if without := [name for name, fold in fold_of.items() if fold not in files]:
            raise UserError(f"{without[0]} has no network of {model} that was not trained on it: all folds are needed")
        conditions = Conditions(
            recipe=recipe,
            weights=tuple(files.values()),
            folds=tuple(files),
            geometry=run.geometry,
            precision=precision,
            autotune=False,
            device=device,
            threads=torch.get_num_threads(),
            workers=1,
            quiet=True,
        )
        forwards, pipeline = prepare(conditions, images)
        forward_of_fold = dict(zip(files, forwards, strict=True))
        forward_of = {name: [forward_of_fold[fold]] for name, fold in fold_of.items()}

        def add(name: str, sums_HW: Sums, recipe: str = recipe.recipe) -> None:
            sums[name][recipe] = sums[name].get(recipe, np.uint16(0)) + sums_HW

        # A GPU loads its kernels at their first use, which would all be the first precision's.
        pipeline.run(names[:1], forward_of.__getitem__, lambda name, sums_HW: None)
        begun = time.perf_counter()
        pipeline.run(names, forward_of.__getitem__, add)
        seconds += time.perf_counter() - begun
    models = {recipe: len(merged_models(recipe, run.edition)) for recipe in RECIPES}
    masks: dict[str, dict[str, Runs]] = {row: {} for row in ROWS}
    for name in names:
        for row, mask_HW in _masks(sums.pop(name), models, run).items():
            masks[row][name] = runs_of_mask(mask_HW)
    return Predicted(masks, seconds)


def _masks(sums: Mapping[str, Sums], models: Mapping[str, int], run: TrainedRun) -> dict[str, Mask]:
    masks: dict[str, Mask] = {}
    merged = {}
    for recipe in RECIPES:
        rule = merge_rule(load_recipe(merged_models(recipe, run.edition)[0], edition=run.edition))
        masks[recipe] = rule.mask(sums[recipe], models[recipe])
        merged[recipe] = rule.merged(sums[recipe], models[recipe])
    mean_HW = ensemble.mean(list(merged.values()))
    masks["ensemble"] = postprocess.apply(mean_HW, merged["linknet34"], run.geometry).mask
    return masks


def compared(
    exact: Mapping[str, Runs], other: Mapping[str, Runs], truth: ImageSet, geometry: Geometry
) -> dict[str, float]:
    """Mean Dice in both, and mean and most pixels of an image's mask that differ."""
    dices, changed = [], []
    for name in exact:
        one_HW, other_HW = (mask_of_runs(runs[name], geometry.image_size) for runs in (exact, other))
        true_HW = truth.mask(name)
        dices.append((dice(one_HW, true_HW), dice(other_HW, true_HW)))
        changed.append(int(np.count_nonzero(one_HW != other_HW)))
    return {
        "exact": statistics.fmean(one for one, _ in dices),
        "other": statistics.fmean(other for _, other in dices),
        "largest_change_of_an_image": max(abs(one - other) for one, other in dices),
        "pixels_changed": statistics.fmean(changed),
        "most_pixels_changed": max(changed),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=SAMPLE, help="results of a finished run")
    parser.add_argument("--precision", choices=[known for known in PRECISIONS if known != "exact"], required=True)
    parser.add_argument(
        "--images",
        type=int,
        help="so many training images, evenly chosen (default: all); at full size, 20 MB each",
    )
    given = parser.parse_args()
    run, truth = trained_run(given.run), ImageSet(read_manifest(given.run / "data/train.csv"))
    names = truth.manifest.names[:: max(1, len(truth.manifest) // (given.images or len(truth.manifest)))]
    device = free_gpu_or_cpu(given.precision).type
    exact, other = (predicted(run, given.run, names, device, one) for one in ("exact", given.precision))
    rows: dict[str, dict[str, Any]] = {
        row: compared(exact.masks[row], other.masks[row], truth, run.geometry) for row in ROWS
    }
    for row, found in rows.items():
        print(
            f"{row:14} {found['exact']:.6f} -> {found['other']:.6f}, {found['pixels_changed']:.2f} pixels of a mask"
            f" changed, at most {found['most_pixels_changed']}"
        )
    name = device_name(device)
    conditions = {
        "device": name,
        "geometry": run.geometry.name,
        "trained_in": run.precision,
        "precision": given.precision,
        "images": len(names),
        "packages": package_versions(),
    }
    document = {"conditions": conditions, "seconds": {"exact": exact.seconds, "other": other.seconds}, "rows": rows}
    write_result(["precision", name, run.geometry.name, given.precision], document)


if __name__ == "__main__":
    main_guard(main)
