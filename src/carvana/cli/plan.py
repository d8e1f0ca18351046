"""What a target will cost on the hardware at hand: jobs, hours and disk, before anything is run."""

from __future__ import annotations

import argparse
import os
from typing import Final

from carvana.cli import configuration
from carvana.computing.nvidia import VISIBLE_VARIABLE, devices, visible
from carvana.errors import UserError
from carvana.planning.forecast import disk_bytes, hours_on, jobs_of, measured, models_for
from carvana.store.store import Store
from carvana.text import size, table

DEVICES: Final = (1, 2, 4, 8, 12, 16, 20)


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
    unit, per_hour = ("hours", 1.0) if training + prediction >= 1 else ("minutes", 60.0)
    rows = [
        (
            job.model,
            str(job.trainings),
            f"{per_hour * job.training_hours:.2f}",
            str(job.predictions),
            f"{per_hour * job.prediction_hours:.2f}",
            job.training_speed.origin,
        )
        for job in jobs
    ]
    print(table(("model", "trainings", f"{unit} each", "predictions", f"{unit} in all", "speed from"), rows))
    count = sum(job.trainings + job.predictions for job in jobs)
    of = f"{'GPU' if gpus or not known else 'CPU'}-{unit}"
    print(f"\n{count} jobs, {per_hour * training:,.1f} {of} of training and {per_hour * prediction:,.1f} of prediction")
    if not gpus and not known:
        print(f"these are {unit} of the authors' GPUs; a CPU needs far longer, known after its first training")
    print(f"{size(disk_bytes(plan, jobs))} of disk for results, besides the competition's files")
    print(f"this machine shows {len(gpus)} GPUs" if gpus else "this machine shows no GPU")
    unit, per_hour = ("days", 1 / 24) if training + prediction >= 24 else (unit, per_hour)
    durations = [(str(count), f"{per_hour * hours_on(jobs, count):.2f}") for count in DEVICES]
    print(f"\n{table(('devices', unit), durations)}")
    costs = plan.published["costs"]
    days = {name: costs[name]["value"] / 24 for name in ("training", "prediction")}
    print(
        f"\nThe authors, for everything: {days['training']:.0f} days of training and {days['prediction']:.0f} of"
        f" prediction on one Titan X Pascal; they had about {costs['gpus']['value']}."
        " What is done already is not subtracted."
    )
