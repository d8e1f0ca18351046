"""The parts of a training that a recipe names: a change in one member's modules touches his own recipes only."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from torch import Tensor, nn
from torch.optim import Optimizer

from carvana.geometry import Geometry
from carvana.optimizers import build_optimizer
from carvana.recipe import OptimizerName, Recipe


class Objective(Protocol):
    """A member's loss and the figures that he reported.

    `output_N1HW` is what the network returns (probabilities or logits), `target_N1HW` the mask, 0..1; both of one
    size and floating type. Every result is a scalar tensor.
    """

    def terms(self, output_N1HW: Tensor, target_N1HW: Tensor) -> dict[str, Tensor]:
        """The differentiable terms by name; `loss` is the one that is minimised."""

    def measures(self, output_N1HW: Tensor, target_N1HW: Tensor) -> dict[str, Tensor]:
        """What is only reported, by name, without gradients."""


def objective(recipe: Recipe, geometry: Geometry) -> Objective:
    """The recipe's loss and reported figures."""
    return cast(Objective, import_module(recipe.modules.loss).build(recipe, geometry))


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """The learning rate of the recipe's epoch, as its author counts epochs."""
    schedule = cast(Callable[..., float], import_module(recipe.modules.schedule).learning_rate)
    return schedule(epoch, recipe.schedule)


def optimizer(recipe: Recipe, name: OptimizerName, network: nn.Module) -> Optimizer:
    """A new optimizer over the network's parameters, at the schedule's first rate."""
    spec = recipe.optimizer
    rate = recipe.schedule.rate
    return build_optimizer(name, network.parameters(), rate, spec.momentum, spec.weight_decay)
