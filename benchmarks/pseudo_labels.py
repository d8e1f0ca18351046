"""Do pseudo-labels help where the training set is small? TernausNet's two rounds on drawn cars whose truth is known.

    python -m benchmarks.pseudo_labels --seeds 1 2 3 4 5 6

As in the competition: each fold's network validates on the fold's cars and trains on the other cars, few here; all
folds' networks together label the test images; the surest cars, more than there are training cars, join the training
of the second round; and it is the test images, their truth held back, on which both rounds are judged, and cars that
no round has seen besides. A round's Dice is the mean over its folds' networks, each judged alone.

All trainings take as many steps, so that the second round cannot gain by more of them. `shuffled` is a second round
with the same images, their labels shuffled among them. For each seed all roles have other cars. The result is written
to benchmarks/pseudo_labels.json behind every seed; seeds that are there already, under the same conditions, are not
computed again. At last the mean differences of all are printed with their 95 % intervals.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from benchmarks.results import ROOT, mean_with_interval
from carvana import rle
from carvana.arrays import Sums
from carvana.computing.runtime import configure
from carvana.data.imageset import ImageSet
from carvana.data.intake import take_in
from carvana.data.manifest import Manifest, read_manifest
from carvana.data.synthetic.dataset import write_competition
from carvana.errors import UserError, main_guard
from carvana.files import write_json
from carvana.geometry import Geometry
from carvana.maps.merging import merge_rule
from carvana.metrics import dice
from carvana.prediction.pipeline import Pipeline
from carvana.provenance import package_versions
from carvana.pseudo_labels.candidates import Candidate, candidate, write_candidates
from carvana.pseudo_labels.labels import write_labels
from carvana.pseudo_labels.uncertainty import uncertainty_of
from carvana.reading import read_json
from carvana.recipe import Recipe
from carvana.recipe_files import load_recipe
from carvana.seeding import generator
from carvana.training import parts
from carvana.training.callbacks import EpochRecord
from carvana.training.draws import Draws
from carvana.training.loading import Loading
from carvana.training.loop import Course, begin, fit
from carvana.training.pixels import CachedPixels
from carvana.training.prepared import Preparing
from carvana.training.run import initial_network
from carvana.training.split import TrainingImages, split
from carvana.transforms.protocol import build_transforms

RESULT: Final = ROOT / "benchmarks/pseudo_labels.json"
MODEL: Final = "ternausnet_pseudo"
# The smallest images that TernausNet can halve five times: a third of the small geometry's cost.
GEOMETRY: Final = Geometry("benchmark", (32, 62), (32, 64), (32, 32))
CPU: Final = torch.device("cpu")
# Each seed draws its roles from these.
DRAWN_CARS: Final = 40
JUDGES: Final = ("test", "unseen")
ROLES: Final = ("train", *JUDGES)
DIFFERENCES: Final = (("second", "first"), ("shuffled", "first"), ("shuffled", "second"))
# Dice by fold of each training, and of the teacher, one value.
Found = dict[str, list[float]]


def cars_by_role(cars: Sequence[str], counts: Mapping[str, int], seed: int) -> dict[str, list[str]]:
    """Other cars for every role, drawn for the seed."""
    order = [cars[place] for place in generator("roles", seed).permutation(len(cars))]
    found = {}
    for role in ROLES:
        found[role], order = order[: counts[role]], order[counts[role] :]
    return found


def of_cars(manifest: Manifest, cars: Sequence[str]) -> Manifest:
    """The images of these cars."""
    return Manifest(tuple(record for record in manifest if record.car in cars))


def trained(
    recipe: Recipe, real: Manifest, folds: Mapping[str, int], fold: int, added: Manifest, epochs: int, seed: int
) -> nn.Module:
    """A fold's network trained by the recipe from random weights, with the weights of its best epoch."""
    draws = Draws(seed, recipe.seed, recipe.model, fold)
    everything = TrainingImages(real, dict(folds), added).together
    pixels, transforms = CachedPixels(ImageSet(everything)), build_transforms(recipe, GEOMETRY)
    loading = Loading(
        recipe=recipe,
        split=split(real, folds, fold, pseudo_labelled=added.names),
        pixels=pixels,
        prepared=Preparing(pixels, transforms),
        transforms=transforms,
        draws=draws,
        epochs=epochs,
        device=CPU,
        workers=0,
    )
    network = initial_network(recipe, draws, None)
    objective = parts.objective(recipe, GEOMETRY)
    course = Course(recipe, objective, epochs, loading.training_batches, loading.validation_batches)
    best: dict[str, torch.Tensor] = {}

    def on_epoch(record: EpochRecord) -> None:
        if record.selected:
            best.update({name: tensor.clone() for name, tensor in network.state_dict().items()})

    fit(course, begin(course, network, network), lambda _: None, on_epoch)
    network.load_state_dict(best)
    return network.eval()


def predicted(recipe: Recipe, networks: Sequence[nn.Module], images: Manifest) -> list[Candidate]:
    """The networks' common masks, and how sure they are of them."""
    rule, found = merge_rule(recipe), []
    labels = recipe.pseudo_labels
    assert labels is not None

    def note(name: str, sums_HW: Sums) -> None:
        mask_HW, merged_HW = rule.mask(sums_HW, len(networks)), rule.merged(sums_HW, len(networks))
        found.append(candidate(name, mask_HW, uncertainty_of(merged_HW, mask_HW, labels.unclear)))

    Pipeline(recipe, GEOMETRY, ImageSet(images), CPU, 1, True).run(images.names, lambda _: networks, note)
    return found


def judged(recipe: Recipe, networks: Sequence[nn.Module], images: Manifest) -> float:
    """Mean Dice of the networks' masks against the truth."""
    truth = ImageSet(images)
    masks = {one.img: rle.decode(one.rle_mask, GEOMETRY.image_size) for one in predicted(recipe, networks, images)}
    return statistics.fmean(dice(mask_HW, truth.mask(name)) for name, mask_HW in masks.items())


def shuffled(labels: Manifest, seed: int) -> Manifest:
    """The same images, each with the mask of another one."""
    order = generator("shuffled", seed).permutation(len(labels))
    # A cycle through all of them: none keeps its own.
    mask_of = {int(one): int(other) for one, other in zip(order, (*order[1:], order[0]), strict=True)}
    records = labels.records
    return Manifest(tuple(replace(record, mask=records[mask_of[n]].mask) for n, record in enumerate(records)))


def rounds(
    manifest: Manifest, counts: Mapping[str, int], given: argparse.Namespace, seed: int, pool: Executor
) -> dict[str, Found]:
    """Dice of each training and of the teacher, on the test images and on unseen cars."""
    # One image a step: of so few images four would make too few steps.
    recipe = load_recipe(MODEL, edition="presented").with_images_per_step(1)
    roles = {role: of_cars(manifest, cars) for role, cars in cars_by_role(manifest.cars, counts, seed).items()}
    real, none = roles["train"], Manifest(())
    fold_of = {car: place % given.folds for place, car in enumerate(real.cars)}

    def train(folds: int, added: Manifest) -> list[Future[nn.Module]]:
        own = len(split(real, fold_of, 0).training)
        as_many_steps = given.epochs * own // (own + len(added))
        return [pool.submit(trained, recipe, real, fold_of, fold, added, as_many_steps, seed) for fold in range(folds)]

    first = [future.result() for future in train(given.folds, none)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_candidates(folder / "candidates.csv", predicted(recipe, first, roles["test"]))
        outputs = {name: folder / f"{name}.csv" for name in ("manifest", "ranking", "labels")}
        hidden = Manifest(tuple(replace(record, mask="", mask_sha256="") for record in roles["test"]))
        size_HW = GEOMETRY.image_size
        write_labels([folder / "candidates.csv"], hidden, given.chosen_cars, size_HW, folder / "masks", outputs)
        labels = read_manifest(outputs["manifest"])
        running = {
            "second": train(given.folds, labels),
            "shuffled": train(given.shuffled_folds, shuffled(labels, seed)),
        }
        networks = {"first": first} | {name: [one.result() for one in those] for name, those in running.items()}
    return {
        role: {name: [judged(recipe, [one], roles[role]) for one in those] for name, those in networks.items()}
        | {"teacher": [judged(recipe, first, roles[role])]}
        for role in JUDGES
    }


def difference(one: Sequence[Sequence[float]], other: Sequence[Sequence[float]]) -> dict[str, float]:
    """Mean over the seeds of the differences, each the mean over the folds that both have; and the ends of its 95 %
    interval (Student's t).
    """
    values = [statistics.fmean(a - b for a, b in zip(*folds, strict=False)) for folds in zip(one, other, strict=True)]
    return dict(zip(("mean", "low", "high"), mean_with_interval(values), strict=True))


def differences(runs: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Differences of Dice over all seeds, by judge and pair of trainings."""
    return {
        role: {
            f"{one} - {other}": difference([run[role][one] for run in runs], [run[role][other] for run in runs])
            for one, other in DIFFERENCES
        }
        for role in JUDGES
    }


def read_runs(path: Path, conditions: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was found before under these conditions, seed by seed."""
    if not path.exists():
        return []
    document = read_json(path)
    return list(document["runs"]) if document["conditions"] == conditions else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="those that are there are kept")
    parser.add_argument("--train-cars", type=int, default=4)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--shuffled-folds", type=int, default=2, help="that are trained on shuffled labels")
    parser.add_argument("--test-cars", type=int, default=10)
    parser.add_argument("--chosen-cars", type=int, default=8)
    parser.add_argument("--unseen-cars", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=56, help="of the first round")
    parser.add_argument("--processes", type=int, default=2, help="networks that are trained at once, each on one core")
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    configure(1, "exact")
    counts = {"train": given.train_cars, "test": given.test_cars, "unseen": given.unseen_cars}
    conditions = {
        "model": MODEL,
        "network_size": list(GEOMETRY.wide_size),
        "cars": counts | {"chosen": given.chosen_cars},
        "folds": given.folds,
        "shuffled_folds": given.shuffled_folds,
        "epochs": given.epochs,
        "packages": package_versions(),
    }
    runs = read_runs(given.out, conditions)
    if len({*given.seeds, *(run["seed"] for run in runs)}) < 2:
        raise UserError("an interval needs two seeds: give another one")
    wanted = [seed for seed in given.seeds if seed not in {run["seed"] for run in runs}]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_competition(folder / "drawn", 2017, DRAWN_CARS, 1, GEOMETRY.image_size, archives=False)
        manifest = take_in(folder / "drawn", "train", GEOMETRY, folder / "work", quiet=True)
        # Fresh processes: torch's threads do not survive a fork.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(given.processes, context, configure, (1, "exact")) as pool:
            for seed in wanted:
                runs.append({"seed": seed, **rounds(manifest, counts, given, seed, pool)})
                print(json.dumps(runs[-1]), flush=True)
                write_json(given.out, {"conditions": conditions, "runs": runs})
    for role, found in differences(runs).items():
        for name, one in found.items():
            print(f"{role}, {name}: {one['mean']:+.4f} ({one['low']:+.4f} .. {one['high']:+.4f})")


if __name__ == "__main__":
    main_guard(main)
