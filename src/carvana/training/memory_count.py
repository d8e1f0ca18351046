"""How much memory of a GPU a training needs, counted without computing it."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from carvana.geometry import Geometry
from carvana.networks.building import build_network
from carvana.networks.upsampling import as_on_gpu
from carvana.recipe import Recipe
from carvana.training import parts
from carvana.training.slices import arranged
from carvana.training.validation import judged

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
