"""How fast devices are: the authors' by their hours, this one by what was measured on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from carvana.planning.cost import full_size, gflops_of, prediction_work, training_work
from carvana.planning.extent import gflop_of
from carvana.planning.plan import Plan
from carvana.reading import read_json
from carvana.recipe import Recipe
from carvana.recipe_files import all_model_names, editions_of, load_recipe, model_names
from carvana.store.store import Entry
from carvana.training.stopwatch import work

Kind = Literal["train", "predict"]


@dataclass(frozen=True)
class Speed:
    """GFLOP per second of one device, as counted for forward passes.

    Attributes:
        value: the speed.
        origin: how it is known.
    """

    value: float
    origin: Literal["measured", "measured on other recipes", "the authors' cards"]


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
            speed = _speed(kind, timings, recipe, gflop_of(plan, recipe), str(facts["step"]))
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
