"""A value that is not a number must not go unseen: it would spoil the weights, or win every comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from carvana.errors import UserError


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
