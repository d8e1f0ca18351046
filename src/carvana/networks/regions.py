"""Networks whose training may trade time for memory: inner activations are recomputed instead of kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import TypeVar

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

Result = TypeVar("Result")


class RegionalNetwork(nn.Module):
    """A network whose forward pass is cut into regions (activation checkpointing; Chen et al., arXiv:1604.06174).

    Attributes:
        recompute: whether training keeps of a region only its inputs. What is inside is computed once more when
            gradients are, to the same numbers, which takes the time of almost one more forward pass.
    """

    recompute = False

    def region(self, function: Callable[..., Result], *inputs: object) -> Result:
        """What the function gives for the inputs; it draws nothing at random."""
        if not (self.recompute and torch.is_grad_enabled()):
            return function(*inputs)
        computing = function if isinstance(function, nn.Module) else self
        both_times = partial(_both_times, computing)
        return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False, context_fn=both_times)


def _both_times(computing: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _statistics_kept(computing)


@contextmanager
def _statistics_kept(computing: nn.Module) -> Iterator[None]:
    """Have batch norms move scratch statistics: the second pass would move their own a second time."""
    norms = [module for module in computing.modules() if isinstance(module, _BatchNorm)]
    kept = [dict(norm.named_buffers(recurse=False)) for norm in norms]
    for norm, buffers in zip(norms, kept, strict=True):
        for name, buffer in buffers.items():
            setattr(norm, name, torch.empty_like(buffer))
    try:
        yield
    finally:
        for norm, buffers in zip(norms, kept, strict=True):
            for name, buffer in buffers.items():
                setattr(norm, name, buffer)
