"""The optimizers of the recipes, as PyTorch 0.2 computed them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final, overload

import torch
from torch import nn

from carvana.errors import UserError
from carvana.recipe import OptimizerName

_ERA_EPSILON: Final = 1e-8


class Adam2017(torch.optim.Adam):
    """Adam of PyTorch 0.2: epsilon is added to sqrt(v) before the bias correction; later releases add it after.

    Default betas (0.9, 0.999) and epsilon 1e-8; every recipe with Adam has weight decay 0. The difference matters: six
    steps of ternausnet with a later release's Adam end 0.1 away in a probability.

    Today's fused kernel computes it, with the epsilon that after the correction equals the era's before it.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, lr=lr, betas=(0.9, 0.999), eps=_ERA_EPSILON, fused=True)
        for group in self.param_groups:
            group["steps"] = 0

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update the parameters, each of which has a gradient."""
        for group in self.param_groups:
            group["steps"] += 1
            group["eps"] = _ERA_EPSILON / math.sqrt(1 - group["betas"][1] ** group["steps"])
        return super().step(closure)  # type: ignore[no-any-return]


def build_optimizer(
    name: OptimizerName,
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    momentum: float,
    weight_decay: float,
) -> torch.optim.Optimizer:
    """A new optimizer without memory.

    RMSprop and SGD compute today what they computed in PyTorch 0.2.

    Raises:
        UserError: momentum or weight decay for an optimizer other than SGD, with which no recipe has them.
    """
    if name != "sgd" and (momentum or weight_decay):
        raise UserError(f"optimizer {name}: momentum and weight_decay must be 0 in the recipe; only sgd has them")
    if name == "adam":
        return Adam2017(parameters, learning_rate)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, learning_rate)
    return torch.optim.SGD(parameters, learning_rate, momentum=momentum, weight_decay=weight_decay, fused=True)


def name_of(optimizer: torch.optim.Optimizer) -> OptimizerName:
    """The name that `build_optimizer` made this optimizer under."""
    names: dict[type[torch.optim.Optimizer], OptimizerName] = {
        Adam2017: "adam",
        torch.optim.RMSprop: "rmsprop",
        torch.optim.SGD: "sgd",
    }
    return names[type(optimizer)]
