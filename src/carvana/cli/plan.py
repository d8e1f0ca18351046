"""What a target will cost on the hardware at hand: jobs, hours and disk, before anything is run."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Final, NamedTuple

from carvana.catalogue import MEMBERS, models_of
from carvana.cli import configuration
from carvana.computing.nvidia import VISIBLE_VARIABLE, devices, visible
from carvana.errors import UserError
from carvana.planning.forecast import Jobs, disk_bytes, hours_on, jobs_of
from carvana.planning.plan import Plan
from carvana.planning.speeds import measured
from carvana.recipe_files import model_names
from carvana.store.store import Store
from carvana.text import size, table

DEVICES: Final = (1, 2, 4, 8, 12, 16, 20)


class Unit(NamedTuple):
    """A unit of time: its name, and how many of it an hour has."""

    name: str
    per_hour: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("target", nargs="?", default="all", help="all, a member, a recipe or a model (default: all)")
    configuration.add_arguments(parser)


def run(given: argparse.Namespace) -> None:
    """Print the forecast. Raises UserError where there is no such target."""
    plan = configuration.plan_of(given)
    models = models_for(given.target, plan)
    if not models:
        raise UserError(f"nothing is known of the target {given.target}; name all, a member, a recipe or a model")
    gpus = visible(devices(), os.environ.get(VISIBLE_VARIABLE))
    device = "cuda" if gpus else "cpu"
    conditions = {"device": device, "geometry": plan.config["geometry"], "precision": plan.config["precision"]}
    known = measured(Store(plan.store).entries(), conditions, plan)
    jobs = jobs_of(plan, models, known)
    training = sum(job.trainings * job.training_hours for job in jobs)
    prediction = sum(job.prediction_hours for job in jobs)
    unit = Unit("hours", 1) if training + prediction >= 1 else Unit("minutes", 60)
    print(_by_model(jobs, unit))
    count = sum(job.trainings + job.predictions for job in jobs)
    of = f"{'GPU' if gpus or not known else 'CPU'}-{unit.name}"
    told = f"{unit.per_hour * training:,.1f} {of} of training and {unit.per_hour * prediction:,.1f} of prediction"
    print(f"\n{count} jobs, {told}")
    if not gpus and not known:
        print(f"these are {unit.name} of the authors' GPUs; a CPU needs far longer, known after its first training")
    print(f"{size(disk_bytes(plan, jobs))} of disk for results, besides the competition's files")
    print(f"this machine shows {len(gpus)} GPUs" if gpus else "this machine shows no GPU")
    print(f"\n{_by_devices(jobs, Unit('days', 1 / 24) if training + prediction >= 24 else unit)}")
    print(f"\n{_of_the_authors(plan)} What is done already is not subtracted.")


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


def _by_model(jobs: Sequence[Jobs], unit: Unit) -> str:
    rows = [
        (
            job.model,
            str(job.trainings),
            f"{unit.per_hour * job.training_hours:.2f}",
            str(job.predictions),
            f"{unit.per_hour * job.prediction_hours:.2f}",
            job.training_speed.origin,
        )
        for job in jobs
    ]
    return table(("model", "trainings", f"{unit.name} each", "predictions", f"{unit.name} in all", "speed from"), rows)


def _by_devices(jobs: Sequence[Jobs], unit: Unit) -> str:
    return table(
        ("devices", unit.name), [(str(count), f"{unit.per_hour * hours_on(jobs, count):.2f}") for count in DEVICES]
    )


def _of_the_authors(plan: Plan) -> str:
    costs = plan.published["costs"]
    days = {name: costs[name]["value"] / 24 for name in ("training", "prediction")}
    return (
        f"The authors, for everything: {days['training']:.0f} days of training and {days['prediction']:.0f} of"
        f" prediction on one Titan X Pascal; they had about {costs['gpus']['value']}."
    )
