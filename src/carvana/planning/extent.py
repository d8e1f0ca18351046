"""How much a run computes on: its images, and the operations on one."""

from __future__ import annotations

from carvana.data.names import VIEWS_PER_CAR
from carvana.geometry import FULL, GEOMETRIES
from carvana.planning.cost import Size, full_size, gflops_of, relative_area
from carvana.planning.plan import Plan
from carvana.recipe import Recipe


def size_of(plan: Plan) -> Size:
    """The run's; that of the competition where the data is not drawn."""
    size = full_size(plan.published)
    height, width = GEOMETRIES[plan.config["geometry"]].image_size
    area = height * width / (FULL.image_size[0] * FULL.image_size[1])
    if plan.synthetic:
        cars = plan.config["data"]["synthetic"]
        return Size(VIEWS_PER_CAR * cars["train_cars"], VIEWS_PER_CAR * cars["test_cars"], area)
    return Size(size.train_images, size.test_images, area)


def gflop_of(plan: Plan, recipe: Recipe) -> float:
    """Forward pass of one image of the run."""
    return gflops_of(plan.published)[recipe.recipe] * relative_area(recipe, GEOMETRIES[plan.config["geometry"]])
