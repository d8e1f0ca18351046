"""Every training of a run: waiting, running, interrupted, done, or done otherwise than it would be now (outdated).

Works at any time, from any terminal.
"""

from __future__ import annotations

import argparse
from collections import Counter

from carvana.cli import configuration
from carvana.status import Status, Training
from carvana.text import clock, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    configuration.add_arguments(parser)


def run(given: argparse.Namespace) -> None:
    """Print a line per training, and totals. Raises UserError."""
    trainings = list(Status(configuration.plan_of(given)).trainings())
    columns = ("model", "fold", "state", "epoch", "loss", "best Dice", "images/s", "left", "on")
    print(table(columns, [row(training) for training in trainings]))
    counts = Counter(training.state for training in trainings)
    left = sum(training.detail.get("seconds_left") or 0 for training in trainings if training.state == "running")
    told = ", ".join(f"{counts[state]} {state}" for state in ("done", "running", "interrupted", "waiting"))
    told += "".join(f", {counts[state]} {state}" for state in ("imported", "outdated") if counts[state])
    print(
        f"{len(trainings)} trainings: {told}" + (f"; {clock(left)} left of the running ones, added up" if left else "")
    )


def row(training: Training) -> tuple[str, ...]:
    """A training's line; what is not known stays empty."""
    detail, state = training.detail, training.state
    if state == "interrupted":
        epoch = f"continues from {detail['place']}"
    else:
        epoch = f"{detail['epoch']}/{detail['epochs']}" if "epoch" in detail else ""
    return (
        training.model,
        str(training.fold),
        state,
        epoch,
        _number(detail.get("loss"), 4),
        _number(detail.get("dice"), 4),
        _number(detail.get("images_per_second"), 1),
        clock(detail["seconds_left"]) if state == "running" and detail.get("seconds_left") else "",
        ", ".join(str(detail[name]) for name in ("device", "owner") if detail.get(name)),
    )


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
