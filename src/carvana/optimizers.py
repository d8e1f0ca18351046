"""The optimizers of the recipes, as PyTorch 0.2 computed them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Literal, overload

import torch
from torch import nn

from carvana.errors import UserError


class EraAdam(torch.optim.Optimizer):
    """Adam of PyTorch 0.2: epsilon is added to sqrt(v) before the bias correction; later releases add it after.

    Default betas (0.9, 0.999) and epsilon 1e-8; every recipe with Adam has weight decay 0. The difference matters: six
    steps of ternausnet with a later release's Adam end 0.1 away in a probability.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr, "betas": (0.9, 0.999), "eps": 1e-8})

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update every parameter that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return None

    def _update(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if not state:
            state["step"] = 0
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        state["step"] += 1
        beta1, beta2 = group["betas"]
        mean, mean_of_squares = state["exp_avg"], state["exp_avg_sq"]
        mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
        mean_of_squares.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        correction1, correction2 = 1 - beta1 ** state["step"], 1 - beta2 ** state["step"]
        step_size = group["lr"] * math.sqrt(correction2) / correction1
        parameter.addcdiv_(mean, mean_of_squares.sqrt().add_(group["eps"]), value=-step_size)


def build_optimizer(
    name: Literal["adam", "rmsprop", "sgd"],
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
        return EraAdam(parameters, learning_rate)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, learning_rate)
    return torch.optim.SGD(parameters, learning_rate, momentum=momentum, weight_decay=weight_decay)
