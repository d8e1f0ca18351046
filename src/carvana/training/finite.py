"""Checks of a batch's values: NaN or infinity would spoil the weights, or win every comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from carvana.computing.arrival import Arrival
from carvana.errors import UserError


def as_floats(scalars: Mapping[str, Tensor]) -> dict[str, float]:
    """The values of float32 scalars of one device, which is waited for once."""
    values = Arrival(torch.stack([scalar.detach() for scalar in scalars.values()])).array()
    return dict(zip(scalars, values.tolist(), strict=True))


def require_finite(values: Mapping[str, float], epoch: int, names: Sequence[str]) -> None:
    """Check the values of one batch in the run's epoch (from 0).

    Raises:
        UserError: one is not finite; the message names the batch's images.
    """
    for name, value in values.items():
        if not math.isfinite(value):
            raise UserError(
                f"the {name.replace('_', ' ')} is {value} in epoch {epoch + 1} on the images {', '.join(names)}; the "
                "last good state is kept. Look at these images and their masks, then at the encoder weights"
            )


def require_numbers(output_N1HW: Tensor, epoch: int, names: Sequence[str]) -> None:
    """Check the network's output for a batch before its loss: of NaN, PyTorch's cross-entropy of probabilities would
    only say that they should lie between 0 and 1.

    Raises:
        UserError: one is not a number, so the loss would be none; the message names the batch's images.
    """
    if Arrival(output_N1HW.isnan().any()).array():
        require_finite({"loss": math.nan}, epoch, names)
