"""How much memory of a GPU a training needs, counted without computing it; and whether the GPU has that much."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from carvana.computing.usable import unusable
from carvana.errors import UserError
from carvana.geometry import Geometry
from carvana.networks.building import build_network
from carvana.networks.upsampling import as_on_gpu
from carvana.recipe import Recipe
from carvana.training import parts
from carvana.training.slices import arranged
from carvana.training.validation import judged

# Recipes whose trainings can do with less, by the names of the configuration's settings.
CHECKPOINTED: Final = ("ternausnet", "linknet34")
DIVIDED: Final = ("ternausnet",)
GIB: Final = 2**30
# What the errors of a full GPU say: of PyTorch's allocator and of CUDA; of cuBLAS; and of cuDNN, where none of its ways
# to convolve finds the memory that it would work in.
_OF_FULL_MEMORY: Final = ("out of memory", "ALLOC_FAILED", "unable to find an engine")
_CPU: Final = torch.device("cpu")


@dataclass(frozen=True)
class Arrangement:
    """What a training's memory depends on, beside its recipe and the size of its images.

    Attributes:
        precision: one of `precision.PRECISIONS`.
        gpus: that share a batch.
        activation_checkpointing: see `slices.arranged`.
    """

    precision: str
    gpus: int = 1
    activation_checkpointing: bool = False


@dataclass(frozen=True)
class Room:
    """What a training's GPUs offer.

    Attributes:
        free: bytes, on the GPU that has the fewest.
        bf16: whether all of them can compute in bfloat16.
    """

    free: int
    bf16: bool


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of tensors that are made while it is on, and how many there were at once.

    Attributes:
        now: of those that still exist.
        peak: the most so far.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now: int = 0
        self.peak: int = 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for one in tree_iter(result):
            if isinstance(one, Tensor):
                self._see(one.untyped_storage())
        return result

    def _see(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)

        def gone() -> None:
            self._known.discard(key)
            self.now -= size

        weakref.finalize(storage, gone)


def bytes_needed(recipe: Recipe, geometry: Geometry, arrangement: Arrangement) -> int:
    """The most bytes of tensors at once on the fullest GPU in a training; what cuDNN works in is not counted.

    Steps and a validation are gone through with tensors that have shapes and no values, so it takes a second and hardly
    any memory. What a GPU does otherwise is counted as there, with deterministic algorithms.
    """
    size = geometry.network_size(recipe.input.size)
    judged_at = geometry.image_size if recipe.validation.masks_at == "image" else size
    training, validation = recipe.training, recipe.validation
    trained, validated = (-(-images // arrangement.gpus) for images in (training.batch_size, validation.batch_size))
    with FakeTensorMode(), LiveBytes() as live, as_on_gpu():
        network = build_network(recipe)
        optimizer = parts.optimizer(recipe, recipe.optimizer.name, network)
        objective = parts.objective(recipe, geometry)
        weights = live.now
        forward = arranged(network.train(), arrangement.precision, [_CPU], arrangement.activation_checkpointing)
        images_N3HW, masks_N1HW = torch.empty(trained, 3, *size), torch.empty(trained, 1, *size)
        of_batch = live.now - weights
        kept_to_be_replayed = torch.empty(of_batch // 4) if training.hard_negative_period else None
        # The optimizer's own tensors exist from the second step on.
        for _ in range(2):
            objective.terms(forward(images_N3HW), masks_N1HW)["loss"].backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            network.train(validation.batch_norm == "batch")
            images_N3HW, masks_N1HW = torch.empty(validated, 3, *size), torch.empty(validated, 1, *judged_at)
            judged(forward(images_N3HW), masks_N1HW, validation, objective)
        del kept_to_be_replayed
    # Each GPU of several has copies of weights and gradients; the first, which is the fullest, has them besides, and
    # the whole batch.
    needed: int = live.peak + (2 * weights + (arrangement.gpus - 1) * of_batch if arrangement.gpus > 1 else 0)
    return needed


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
    """The fewest settings with which a training would hold less at once than it does, and no more than is free."""
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
