"""How an epoch's network is judged."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.nn import functional

from carvana.recipe import Validation
from carvana.training.batches import Batch
from carvana.training.finite import require_finite, require_numbers
from carvana.training.parts import Objective
from carvana.training.records import OnRest, OnStep, StepRecord
from carvana.training.state import Place


@torch.no_grad()
def validate(
    network: torch.nn.Module,
    validation: Validation,
    objective: Objective,
    batches: Iterable[Batch],
    epoch: int,
    on_step: OnStep,
    place: Place | None = None,
    on_rest: OnRest = lambda _: None,
) -> dict[str, float]:
    """Means over the validation batches, each batch counted alike, as all three authors did.

    With `batch_norm: batch` the network is judged in training mode, as in the released asanakoy scripts: batch norm
    uses the batch's statistics, and its running statistics move, so validating changes the network.

    With `masks_at: image` masks are larger than the network's output: it is brought to their size (bilinear, corners
    aligned, PyTorch 0.2's only way), and only the reported measures are computed, as the loss is defined at the
    network's size.

    Args:
        network: on the batches' device.
        validation: the recipe's.
        objective: the recipe's.
        batches: from the one that `place` names on.
        epoch: the run's, from 0.
        on_step: sees every batch.
        place: how far the validation is, kept up to date; none: at its beginning.
        on_rest: called behind every batch.

    Raises:
        UserError: a value is not finite; the message names the batch's images.
    """
    network.train(validation.batch_norm == "batch")
    place = place or Place("valid")
    for number, batch in enumerate(batches, place.batches):
        output_N1HW = network(batch.images_N3HW)
        require_numbers(output_N1HW, epoch, batch.names)
        if validation.masks_at == "image":
            size_HW = batch.masks_N1HW.shape[2:]
            output_N1HW = functional.interpolate(output_N1HW, size=size_HW, mode="bilinear", align_corners=True)
            tensors = objective.measures(output_N1HW, batch.masks_N1HW)
        else:
            tensors = objective.terms(output_N1HW, batch.masks_N1HW) | objective.measures(output_N1HW, batch.masks_N1HW)
        values = {name: tensor.item() for name, tensor in tensors.items()}
        require_finite(values, epoch, batch.names)
        place.means.add(values)
        on_step(StepRecord(epoch, "valid", number, batch.names, values))
        place.batches = number + 1
        on_rest("batch")
    return place.means.values()
