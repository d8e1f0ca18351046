"""Whether the GPUs of a training have the memory that it needs, and what would fit if they have not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Final

import torch

from carvana.computing.usable import unusable
from carvana.errors import UserError
from carvana.geometry import Geometry
from carvana.recipe import Recipe
from carvana.training.memory_count import Arrangement, bytes_needed

# Recipes whose trainings can do with less, by the names of the configuration's settings.
CHECKPOINTED: Final = ("ternausnet", "linknet34")
DIVIDED: Final = ("ternausnet",)
GIB: Final = 2**30
# What the errors of a full GPU say: of PyTorch's allocator and of CUDA; of cuBLAS; of cuDNN 9; and of cuDNN, where none
# of its ways to convolve finds the memory that it would work in.
_OF_FULL_MEMORY: Final = (
    "out of memory",
    "ALLOC_FAILED",
    "ALLOCATION_FAILED",
    "unable to find an engine",
)


@dataclass(frozen=True)
class Room:
    """What a training's GPUs offer.

    Attributes:
        free: bytes, on the GPU that has the fewest.
        bf16: whether all of them can compute in bfloat16.
    """

    free: int
    bf16: bool


def require_memory(recipe: Recipe, geometry: Geometry, arrangement: Arrangement, room: Room) -> None:
    """Check a training before its first batch.

    Args:
        recipe: of the training.
        geometry: of the run.
        arrangement: as configured.
        room: on its GPUs.

    Raises:
        UserError: it does not suffice; the message names the settings with which it would.
    """
    needed = bytes_needed(recipe, geometry, arrangement)
    if needed > room.free:
        raise UserError(
            f"a training of {recipe.recipe} holds {needed / GIB:.1f} GiB of GPU memory at once, and"
            f" {room.free / GIB:.1f} GiB are free; {advice(recipe, geometry, arrangement, room)}"
        )


@contextmanager
def told_of_full_memory(recipe: Recipe, geometry: Geometry, arrangement: Arrangement, room: Room) -> Iterator[None]:
    """Turn the error of a full GPU into a UserError; arguments as for `require_memory`."""
    try:
        yield
    except RuntimeError as error:
        if not any(words in str(error) for words in _OF_FULL_MEMORY):
            raise
        raise UserError(
            f"the GPU's memory is full in a training of {recipe.recipe}, of which {room.free / GIB:.1f} GiB were free"
            f" ({error}); {advice(recipe, geometry, arrangement, room)}. In the same precision the training continues"
            " from its last saved state"
        ) from error


@contextmanager
def enough_memory(
    recipe: Recipe, geometry: Geometry, arrangement: Arrangement, devices: Sequence[torch.device]
) -> Iterator[None]:
    """Around a training: check its GPUs first, and turn the error into a UserError if one is full all the same.

    Args:
        recipe: of the training.
        geometry: of the run.
        arrangement: as configured.
        devices: that it computes on; of the CPU nothing is asked.

    Raises:
        UserError: see `require_memory` and `told_of_full_memory`.
    """
    if devices[0].type == "cpu":
        yield
        return
    free = min(torch.cuda.mem_get_info(device)[0] for device in devices)
    room = Room(free, unusable(devices, "bf16") is None)
    require_memory(recipe, geometry, arrangement, room)
    with told_of_full_memory(recipe, geometry, arrangement, room):
        yield


def advice(recipe: Recipe, geometry: Geometry, arrangement: Arrangement, room: Room) -> str:
    """Advice: the fewest changes with which the training needs less than now, and at most what is free."""
    most = min(room.free, bytes_needed(recipe, geometry, arrangement) - 1)
    fitting: list[tuple[list[str], int]] = []
    for other in _others(recipe, arrangement, room.bf16):
        needed = bytes_needed(recipe, geometry, other)
        if needed <= most:
            fitting.append((_changes(recipe, arrangement, other), needed))
    if not fitting:
        return "no other setting would help: use a larger GPU"
    fewest = min(len(changes) for changes, _ in fitting)
    told = [
        f"{' and '.join(changes)} ({needed / GIB:.1f} GiB)" for changes, needed in fitting if len(changes) == fewest
    ]
    return f"what would fit, in the configuration: {', or '.join(told)}"


def _others(recipe: Recipe, arrangement: Arrangement, bf16: bool) -> list[Arrangement]:
    checkpointing = {arrangement.activation_checkpointing, recipe.recipe in CHECKPOINTED}
    gpus = {arrangement.gpus} | ({2, 4} if recipe.recipe in DIVIDED else set())
    # The configured precision first: another one changes the numbers.
    precisions = dict.fromkeys((arrangement.precision, "bf16") if bf16 else (arrangement.precision,))
    every = [Arrangement(*values) for values in product(precisions, sorted(gpus), sorted(checkpointing))]
    return [one for one in every if one != arrangement and one.gpus >= arrangement.gpus]


def _changes(recipe: Recipe, one: Arrangement, other: Arrangement) -> list[str]:
    changes = []
    if other.activation_checkpointing != one.activation_checkpointing:
        changes.append(f"activation_checkpointing: {{{recipe.recipe}: true}}")
    if other.gpus != one.gpus:
        changes.append(f"gpus_per_training: {{{recipe.recipe}: {other.gpus}}}")
    if other.precision != one.precision:
        changes.append(f"precision: {other.precision}")
    return changes
