"""What a cluster is asked for: memory and time of the jobs that train or predict with a model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from carvana.geometry import FULL
from carvana.planning.forecast import jobs_of
from carvana.planning.plan import Plan

# The authors' hours, on cards of 2016, by this much; a training that needs longer saves and is queued again.
MARGIN: Final = 1.5
LONGEST_MINUTES: Final = 24 * 60
SHORTEST_MINUTES: Final = 60

# MiB. At full size estimated from what a batch and the loading processes hold; small runs were measured.
FULL_MEMORY: Final = 16_000
SMALL_MEMORY: Final = 3_000


@dataclass(frozen=True)
class Request:
    """What one job asks for.

    Attributes:
        mem_mb: memory of the host, in MB as Slurm counts them.
        minutes: after which it may be ended.
    """

    mem_mb: int
    minutes: int


@dataclass(frozen=True)
class Requests:
    """What one training of a model asks for, and one prediction with it."""

    training: Request
    prediction: Request


def requests_of(plan: Plan, model: str) -> Requests:
    """What a model's jobs ask for."""
    (jobs,) = jobs_of(plan, [model], {})
    memory = FULL_MEMORY if plan.config["geometry"] == FULL.name else SMALL_MEMORY
    training, prediction = jobs.training_hours, jobs.prediction_hours / jobs.predictions
    return Requests(Request(memory, _minutes(training)), Request(memory, _minutes(prediction)))


def _minutes(hours: float) -> int:
    return min(LONGEST_MINUTES, max(SHORTEST_MINUTES, math.ceil(hours * MARGIN * 60)))
