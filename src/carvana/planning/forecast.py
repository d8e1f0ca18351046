"""What a run will cost: jobs, hours of a device, disk; from what was measured on this device where anything was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, Literal

from carvana.catalogue import MEMBERS, models_of, recipe_of
from carvana.data.names import VIEWS_PER_CAR
from carvana.geometry import FULL, GEOMETRIES
from carvana.planning.cost import Size, finished_after, gflops_of, prediction_work, relative_area, training_work
from carvana.planning.plan import Plan
from carvana.pseudo_labels.choice import wanted_cars
from carvana.reading import read_json
from carvana.recipe import Recipe
from carvana.recipe_files import all_model_names, editions_of, load_recipe, model_names
from carvana.store.store import Entry
from carvana.training.stopwatch import work

Kind = Literal["train", "predict"]

# Bytes per full-size image, measured on maps of real masks: summed maps of one model, merged maps of one recipe.
SUMS_BYTES: Final = 66_000
MAPS_BYTES: Final = 35_000
# A network's weights; the two states that are kept while it trains take four to six times as much.
WEIGHTS_BYTES: Final = {"ternausnet": 0.09e9, "linknet34": 0.09e9, "unet_scratch": 0.365e9, "unet_vgg11": 0.134e9}


@dataclass(frozen=True)
class Speed:
    """GFLOP per second of one device, as counted for forward passes.

    Attributes:
        value: the speed.
        origin: how it is known.
    """

    value: float
    origin: Literal["measured", "measured on other recipes", "the authors' cards"]


@dataclass(frozen=True)
class Jobs:
    """The jobs of one model.

    Attributes:
        model: as recipes name it.
        trainings: their number.
        predictions: their number, out-of-fold validation included.
        training_hours: of one training, on all of its GPUs together.
        prediction_hours: of all predictions together.
        training_speed: that the hours come from.
        follows: the model whose trainings come before; none but for a second round.
    """

    model: str
    trainings: int
    predictions: int
    training_hours: float
    prediction_hours: float
    training_speed: Speed
    follows: str | None = None


def authors_speeds(published: Mapping[str, Any]) -> dict[Kind, float]:
    """GFLOP per second of the authors' cards: their whole work by their hours."""
    gflops, size = gflops_of(published), full_size(published)
    done: dict[Kind, float] = {"train": 0.0, "predict": 0.0}
    for model in model_names():
        recipe = load_recipe(model)
        folds, gflop = recipe.folds.count, gflops[recipe.recipe]
        done["train"] += folds * training_work(recipe, gflop, size, folds, recipe.training.epochs)
        done["predict"] += prediction_work(recipe, gflop, size.test_images, folds)
    hours: dict[Kind, str] = {"train": "training", "predict": "prediction"}
    return {kind: done[kind] / (published["costs"][name]["value"] * 3600) for kind, name in hours.items()}


def full_size(published: Mapping[str, Any]) -> Size:
    """The competition's."""
    counts = published["counts"]
    return Size(counts["train"]["images"], counts["test"]["images"])


def size_of(plan: Plan) -> Size:
    """The run's; that of the competition where the data is not drawn."""
    size = full_size(plan.published)
    height, width = GEOMETRIES[plan.config["geometry"]].image_size
    area = height * width / (FULL.image_size[0] * FULL.image_size[1])
    if plan.synthetic:
        cars = plan.config["data"]["synthetic"]
        return Size(VIEWS_PER_CAR * cars["train_cars"], VIEWS_PER_CAR * cars["test_cars"], area)
    return Size(size.train_images, size.test_images, area)


def _gflop(plan: Plan, recipe: Recipe) -> float:
    """Forward pass of one image of the run."""
    return gflops_of(plan.published)[recipe.recipe] * relative_area(recipe, GEOMETRIES[plan.config["geometry"]])


def measured(entries: Iterable[Entry], conditions: Mapping[str, Any], plan: Plan) -> dict[tuple[Kind, str], float]:
    """GFLOP per second by kind and recipe: the median of what finished under these conditions.

    Args:
        entries: of the store.
        conditions: facts that must agree, such as device and precision.
        plan: of the run.
    """
    found: dict[tuple[Kind, str], list[float]] = {}
    for entry in entries:
        facts = entry.facts
        if not entry.complete or any(facts.get(name) != value for name, value in conditions.items()):
            continue
        if facts["model"] not in all_model_names():
            continue
        recipe = load_recipe(facts["model"], edition=editions_of(facts["model"])[0])
        with suppress(OSError, ValueError, KeyError, ZeroDivisionError):
            timings = read_json(entry.folder / "result" / "timings.json")
            kind: Kind = "train" if facts["step"] == "train" else "predict"
            speed = _speed(kind, timings, recipe, _gflop(plan, recipe), str(facts["step"]))
            found.setdefault((kind, recipe.recipe), []).append(speed)
    return {key: median(speeds) for key, speeds in found.items()}


def _speed(kind: Kind, timings: Mapping[str, Any], recipe: Recipe, gflop: float, step: str) -> float:
    if kind == "train":
        epochs = timings["epochs"]
        passes = sum(work(epoch["train_images"], epoch["valid_images"]) for epoch in epochs)
        seconds = sum(epoch["train_seconds"] + epoch["valid_seconds"] for epoch in epochs)
        return float(gflop * passes / (seconds * max(1, timings["gpus"])))
    networks = timings["networks"] if step == "predict" else 1
    return prediction_work(recipe, gflop, timings["images"], networks) / float(timings["seconds"])


def speed_of(kind: Kind, recipe: str, known: Mapping[tuple[Kind, str], float], authors: Mapping[Kind, float]) -> Speed:
    """The best that is known for these jobs."""
    if (kind, recipe) in known:
        return Speed(known[kind, recipe], "measured")
    others = [value for (other, _), value in known.items() if other == kind]
    if others:
        return Speed(median(others), "measured on other recipes")
    return Speed(authors[kind], "the authors' cards")


def jobs_of(plan: Plan, models: Sequence[str], known: Mapping[tuple[Kind, str], float]) -> list[Jobs]:
    """The jobs of these models, which need nothing of what is there already."""
    authors, size = authors_speeds(plan.published), size_of(plan)
    found = []
    for model in models:
        recipe = plan.recipe(model)
        networks = len(plan.networks.folds(model))
        folds, gflop = plan.folds.number(recipe.folds.scheme), _gflop(plan, recipe)
        epochs = plan.trainings.epochs(model)
        training = speed_of("train", recipe.recipe, known, authors)
        prediction = speed_of("predict", recipe.recipe, known, authors)
        pseudo_labelled, taught = _second_round(plan, model, size)
        extra = gflop * work(pseudo_labelled, 0) * epochs
        predicted = prediction_work(recipe, gflop, size.test_images, networks + taught)
        predicted += prediction_work(recipe, gflop, size.train_images, 1)
        found.append(
            Jobs(
                model=model,
                trainings=0 if plan.origins.is_imported(model) else networks,
                predictions=plan.config["shards"] * (1 + taught) + 1,
                training_hours=(training_work(recipe, gflop, size, folds, epochs) + extra) / training.value / 3600,
                prediction_hours=predicted / prediction.value / 3600,
                training_speed=training,
                follows=plan.second_round.first if model == plan.second_round.second else None,
            )
        )
    return found


def _second_round(plan: Plan, model: str, size: Size) -> tuple[int, int]:
    """Pseudo-labelled images that each training of the model has, and networks that predict test images for that."""
    rounds = plan.second_round
    if rounds.first is None or model != rounds.second:
        return 0, 0
    cars = wanted_cars(
        plan.config["pseudo_labels"]["cars"], rounds.labels.car_ratio, size.train_images // VIEWS_PER_CAR
    )
    taught = 0 if rounds.by_ensemble else len(plan.networks.folds(rounds.first))
    return min(cars * VIEWS_PER_CAR, size.test_images), taught


def hours_on(jobs: Sequence[Jobs], devices: int) -> float:
    """Hours on so many devices: all trainings, the longest first, then all predictions.

    However many devices there are, a second round's training comes after a first round's.
    """
    of_training = {job.model: job.training_hours for job in jobs if job.trainings}
    rounds = [of_training.get(job.follows or "", 0) + of_training.get(job.model, 0) for job in jobs]
    trainings = [job.training_hours for job in jobs for _ in range(job.trainings)]
    predictions = [job.prediction_hours / job.predictions for job in jobs for _ in range(job.predictions)]
    return max([finished_after(trainings, devices), *rounds]) + finished_after(predictions, devices)


def disk_bytes(plan: Plan, jobs: Sequence[Jobs]) -> float:
    """Of the results, without the competition's files and the states of running trainings."""
    size = size_of(plan)
    images = (size.train_images + size.test_images) * size.area
    recipes = {recipe_of(job.model, plan.edition) for job in jobs}
    weights = sum(
        len(plan.networks.folds(job.model)) * WEIGHTS_BYTES[recipe_of(job.model, plan.edition)] for job in jobs
    )
    return images * (len(jobs) * SUMS_BYTES + len(recipes) * MAPS_BYTES) + weights


def models_for(target: str, plan: Plan) -> tuple[str, ...]:
    """The models that a target (`all`, a member, a recipe or a model) needs; none if there is no such target."""
    if target == "all":
        return plan.models
    recipes = MEMBERS.get(target, ())
    return (
        tuple(model for recipe in recipes for model in models_of(recipe, plan.edition))
        or models_of(target, plan.edition)
        or ((target,) if target in model_names(edition=plan.edition) else ())
    )
