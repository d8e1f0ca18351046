"""How an epoch's network is judged."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from carvana.networks.upsampling import upsampled
from carvana.recipe import Validation
from carvana.training.batches import Batch
from carvana.training.callbacks import OnRest, OnStep, StepRecord
from carvana.training.finite import as_floats, require_finite, require_numbers
from carvana.training.parts import Objective
from carvana.training.state import TrainingState


@torch.no_grad()
def validate(
    validation: Validation,
    objective: Objective,
    state: TrainingState,
    batches: Iterable[Batch],
    on_step: OnStep,
    on_rest: OnRest = lambda _: None,
) -> dict[str, float]:
    """Means over the validation batches, each batch counted alike, as all three authors did.

    With `batch_norm: batch` the network is judged in training mode, as in the released asanakoy scripts: batch norm
    uses the batch's statistics, and its running statistics move, so validating changes the network.

    Args:
        validation: the recipe's.
        objective: the recipe's.
        state: of the training; its place, in the validation, is kept up to date.
        batches: on the network's device, from the one that the place names on.
        on_step: sees every batch.
        on_rest: called behind every batch.

    Raises:
        UserError: a value is not finite; the message names the batch's images.
    """
    state.network.train(validation.batch_norm == "batch")
    epoch, place = state.next_epoch, state.place
    for number, batch in enumerate(batches, place.batches):
        output_N1HW = state.forward(batch.images_N3HW)
        require_numbers(output_N1HW, epoch, batch.names)
        values = as_floats(judged(output_N1HW, batch.masks_N1HW, validation, objective))
        require_finite(values, epoch, batch.names)
        place.means.add(values)
        on_step(StepRecord(epoch, "valid", number, batch.names, values))
        place.batches = number + 1
        on_rest("batch")
    return place.means.values()


def judged(output_N1HW: Tensor, masks_N1HW: Tensor, validation: Validation, objective: Objective) -> dict[str, Tensor]:
    """What is measured of a network's output, as scalars.

    With `masks_at: image` masks are larger than the output: it is upsampled to their size, and only the reported
    measures are computed, as the loss is defined at the network's size.
    """
    if validation.masks_at == "network":
        return objective.terms(output_N1HW, masks_N1HW) | objective.measures(output_N1HW, masks_N1HW)
    height, width = masks_N1HW.shape[2:]
    return objective.measures(upsampled(output_N1HW, (height, width)), masks_N1HW)
