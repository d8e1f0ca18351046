"""Do pseudo-labels help where the training set is small? TernausNet's two rounds on drawn cars whose truth is known.

    python benchmarks/pseudo_labels.py --seeds 1 2 3 4 5 6

For each seed other cars train, validate, are pseudo-labelled and judge. In the first round TernausNet and the other
recipes learn from a few cars. Their ensemble (`teacher: ensemble`; one of LinkNet34's six variants, for the time it
takes) labels other cars, of which the surest, more than it was trained on, join TernausNet's training in the second
round. A third training has the same images with the labels shuffled among them. Each is as long as the sample's; only
TernausNet's first round has more epochs, so that all three of its trainings take as many steps. They are judged on cars
that no round has seen. The result is written to benchmarks/pseudo_labels.json, with the mean differences and their 95 %
intervals.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import torch
import yaml
from torch import nn

from carvana import ensemble, postprocess, rle
from carvana.data.imageset import ImageSet
from carvana.data.intake import take_in
from carvana.data.manifest import Manifest, read_manifest
from carvana.data.synthetic.dataset import write_competition
from carvana.errors import main_guard
from carvana.files import whole_file
from carvana.geometry import SMALL
from carvana.merging import merge_rule
from carvana.metrics import dice
from carvana.networks.initialisation import initialise
from carvana.prediction.pipeline import Pipeline, Sums
from carvana.provenance import package_versions
from carvana.pseudo_labels.candidates import Candidate, candidate, write_candidates
from carvana.pseudo_labels.doubt import doubt_of
from carvana.pseudo_labels.labels import write_labels
from carvana.recipe import Recipe, load_recipe
from carvana.runtime import configure
from carvana.seeding import generator
from carvana.training import parts
from carvana.training.batches import Loading
from carvana.training.draws import Draws
from carvana.training.loop import Course, begin, fit
from carvana.training.pixels import KeptPixels
from carvana.training.records import EpochRecord
from carvana.training.split import split
from carvana.transforms.protocol import build_transforms

ROOT: Final = Path(__file__).resolve().parents[1]
RESULT: Final = ROOT / "benchmarks/pseudo_labels.json"
SAMPLE: Final = ROOT / "config/sample.yaml"
MODEL: Final = "ternausnet_pseudo"
# LinkNet34's first, as the unreliable-top rule takes it; the variant that learns soonest.
OTHERS: Final = ("linknet34_f04a_clahe_rmsprop", "unet_scratch", "unet_vgg11")
CPU: Final = torch.device("cpu")
# Student's t, quantile 0.975, by degrees of freedom.
_T_975: Final = {4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
ROLES: Final = ("train", "validate", "unlabelled", "judge")


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


def recipe_of(model: str) -> Recipe:
    """The model's recipe with the sample's steps."""
    recipe = load_recipe(model, edition="presented")
    return recipe.with_images_per_step(_of_sample("images_per_step", recipe) or recipe.training.images_per_step)


def _of_sample(what: str, recipe: Recipe) -> int | None:
    number: int | None = yaml.safe_load(SAMPLE.read_text())[what].get(recipe.recipe)
    return number


def epochs_of(model: str) -> int:
    """How long the sample trains the model."""
    epochs = _of_sample("epochs", load_recipe(model, edition="presented"))
    assert epochs is not None
    return epochs


def trained(model: str, roles: Mapping[str, Manifest], added: Manifest, epochs: int, seed: int) -> nn.Module:
    """A network trained from random weights, with the weights of its best epoch."""
    recipe = recipe_of(model)
    draws = Draws(seed, recipe.seed, recipe.model, 0)
    real = Manifest(tuple(sorted((*roles["train"], *roles["validate"]), key=lambda record: record.name)))
    folds = {car: int(car not in roles["validate"].cars) for car in real.cars}
    everything = Manifest(tuple(sorted((*real, *added), key=lambda record: record.name)))
    loading = Loading(
        recipe=recipe,
        split=split(real, folds, 0, pseudo_labelled=added.names),
        pixels=KeptPixels(ImageSet(everything)),
        transforms=build_transforms(recipe, SMALL),
        draws=draws,
        epochs=epochs,
        device=CPU,
        workers=0,
    )
    network = parts.network(recipe)
    initialise(network, recipe.network.encoder, torch.Generator().manual_seed(draws.torch_seed("init")))
    objective = parts.objective(recipe, SMALL)
    course = Course(recipe, objective, epochs, loading.training_batches, loading.validation_batches)
    best: dict[str, torch.Tensor] = {}

    def on_epoch(record: EpochRecord) -> None:
        if record.selected:
            best.update({name: tensor.clone() for name, tensor in network.state_dict().items()})

    fit(course, begin(course, network), lambda _: None, on_epoch)
    network.load_state_dict(best)
    return network.eval()


def maps_of(model: str, network: nn.Module, images: Manifest) -> dict[str, ensemble.Map]:
    """The network's 8-bit maps, by image name."""
    recipe = recipe_of(model)
    rule, found = merge_rule(recipe), {}

    def note(name: str, sums_HW: Sums) -> None:
        found[name] = rule.merged(sums_HW, 1)

    Pipeline(recipe, SMALL, ImageSet(images), CPU, 1, True).run(images.names, lambda _: [network], note)
    return found


def ensembled(networks: Mapping[str, nn.Module], images: Manifest) -> list[Candidate]:
    """The ensemble's masks, and how sure it is of them."""
    maps = {model: maps_of(model, network, images) for model, network in networks.items()}
    labels = load_recipe(MODEL, edition="presented").pseudo_labels
    assert labels is not None
    found = []
    for name in images.names:
        mean_HW = ensemble.mean([of_image[name] for of_image in maps.values()])
        mask_HW = postprocess.apply(mean_HW, maps[OTHERS[0]][name], SMALL).mask
        found.append(candidate(name, mask_HW, doubt_of(mean_HW, mask_HW, labels.unclear)))
    return found


def judged(network: nn.Module, images: Manifest) -> float:
    """Mean Dice of TernausNet's masks against the truth."""
    threshold, truth = recipe_of(MODEL).submission.threshold, ImageSet(images)
    maps = maps_of(MODEL, network, images)
    return statistics.fmean(dice(map_HW >= threshold, truth.mask(name)) for name, map_HW in maps.items())


def judged_together(candidates: Sequence[Candidate], images: Manifest) -> float:
    """Mean Dice of the ensemble's masks against the truth."""
    truth = ImageSet(images)
    return statistics.fmean(dice(rle.decode(one.rle_mask, SMALL.image_size), truth.mask(one.img)) for one in candidates)


def shuffled(labels: Manifest, seed: int) -> Manifest:
    """The same images, each with the mask of another one."""
    order = generator("shuffled", seed).permutation(len(labels))
    # A cycle through all of them: none keeps its own.
    mask_of = {int(one): int(other) for one, other in zip(order, (*order[1:], order[0]), strict=True)}
    records = labels.records
    return Manifest(tuple(replace(record, mask=records[mask_of[n]].mask) for n, record in enumerate(records)))


def rounds(manifest: Manifest, counts: Mapping[str, int], chosen: int, seed: int) -> dict[str, float]:
    """Held-back Dice of TernausNet in its first round, of the ensemble, and of TernausNet in both second rounds."""
    roles = {role: of_cars(manifest, cars) for role, cars in cars_by_role(manifest.cars, counts, seed).items()}
    epochs = epochs_of(MODEL)
    as_many_steps = round(epochs * (counts["train"] + chosen) / counts["train"])
    networks = {MODEL: trained(MODEL, roles, Manifest(()), as_many_steps, seed)}
    networks |= {model: trained(model, roles, Manifest(()), epochs_of(model), seed) for model in OTHERS}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_candidates(folder / "candidates.csv", ensembled(networks, roles["unlabelled"]))
        outputs = {name: folder / f"{name}.csv" for name in ("manifest", "ranking", "labels")}
        hidden = Manifest(tuple(replace(record, mask="", mask_sha256="") for record in roles["unlabelled"]))
        write_labels([folder / "candidates.csv"], hidden, chosen, SMALL.image_size, folder / "masks", outputs)
        labels = read_manifest(outputs["manifest"])
        second = trained(MODEL, roles, labels, epochs, seed)
        wrong = trained(MODEL, roles, shuffled(labels, seed), epochs, seed)
    judge = roles["judge"]
    return {
        "first": judged(networks[MODEL], judge),
        "teacher": judged_together(ensembled(networks, judge), judge),
        "second": judged(second, judge),
        "shuffled": judged(wrong, judge),
    }


def difference(one: Sequence[float], other: Sequence[float]) -> dict[str, float]:
    """Mean of the paired differences, and the ends of its 95 % interval (Student's t)."""
    values = [a - b for a, b in zip(one, other, strict=True)]
    mean, deviation = statistics.fmean(values), statistics.stdev(values)
    half = _T_975[len(values) - 1] * deviation / math.sqrt(len(values))
    return {"mean": mean, "low": mean - half, "high": mean + half}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="5 to 10, for an interval")
    parser.add_argument("--train-cars", type=int, default=4)
    parser.add_argument("--unlabelled-cars", type=int, default=9)
    parser.add_argument("--chosen-cars", type=int, default=7)
    parser.add_argument("--judging-cars", type=int, default=4)
    parser.add_argument("--processes", type=int, default=2, help="seeds at once, each on one core")
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    counts = {
        "train": given.train_cars,
        "validate": 1,
        "unlabelled": given.unlabelled_cars,
        "judge": given.judging_cars,
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_competition(folder / "drawn", 2017, sum(counts.values()), 1, SMALL.image_size, archives=False)
        manifest = take_in(folder / "drawn", "train", SMALL, folder / "work", quiet=True)
        runs = []
        # Fresh processes: torch's threads do not survive a fork.
        with ProcessPoolExecutor(
            given.processes, multiprocessing.get_context("spawn"), configure, (1, "exact")
        ) as pool:
            work = partial(rounds, manifest, counts, given.chosen_cars)
            for seed, found in zip(given.seeds, pool.map(work, given.seeds), strict=True):
                runs.append({"seed": seed, **found})
                print(runs[-1], flush=True)
    of = {name: [run[name] for run in runs] for name in ("first", "teacher", "second", "shuffled")}
    differences = {
        f"{one} - {other}": difference(of[one], of[other])
        for one, other in (("second", "first"), ("shuffled", "first"), ("shuffled", "second"))
    }
    conditions = {
        "teacher": ["ternausnet", *OTHERS],
        "sample": {
            name: yaml.safe_load(SAMPLE.read_text())[name] for name in ("geometry", "epochs", "images_per_step")
        },
        "cars": counts | {"chosen": given.chosen_cars},
        "packages": package_versions(),
    }
    with whole_file(given.out) as path:
        document = {"conditions": conditions, "runs": runs, "differences": differences}
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for name, found in differences.items():
        print(f"{name}: {found['mean']:+.4f} ({found['low']:+.4f} .. {found['high']:+.4f})")


if __name__ == "__main__":
    main_guard(main)
