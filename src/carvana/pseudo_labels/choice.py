"""Which test cars become training cars: the surest ones, whole cars at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from carvana.errors import UserError


@dataclass(frozen=True)
class RankedCar:
    """One test car.

    Attributes:
        car: its id.
        rank: from 1, the surest.
        uncertainty: of its least sure image: a car enters with all its images.
        chosen: whether it becomes a training car.
    """

    car: str
    rank: int
    uncertainty: float
    chosen: bool


def ranked_cars(uncertainties: Mapping[str, Sequence[float]], wanted: int) -> list[RankedCar]:
    """All cars, the surest first; the first `wanted` are chosen.

    Args:
        uncertainties: of each car's images, by car.
        wanted: how many cars to choose; where there are fewer, or fewer with an outline on every image, all of these.

    Raises:
        UserError: not one car can be chosen.
    """
    worst = {car: max(values) for car, values in uncertainties.items()}
    ordered = sorted(worst, key=lambda car: (worst[car], car))
    ranked = [
        RankedCar(car, rank, worst[car], rank <= wanted and math.isfinite(worst[car]))
        for rank, car in enumerate(ordered, start=1)
    ]
    if not any(car.chosen for car in ranked):
        raise UserError(f"of {len(ranked)} test cars, none has a car on the teacher's masks: it has not learnt enough")
    return ranked


def wanted_cars(configured: int | None, ratio: float, training_cars: int) -> int:
    """How many cars to choose.

    Args:
        configured: a number of the configuration's, if it has one.
        ratio: otherwise, so many for every training car.
        training_cars: of the whole training set.
    """
    return configured if configured is not None else math.ceil(ratio * training_cars)
