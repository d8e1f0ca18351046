"""Bytes that operations read and write, counted without computing them."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from carvana.computing.runtime import configure
from carvana.geometry import Geometry
from carvana.networks.building import build_network
from carvana.networks.upsampling import as_on_gpu
from carvana.prediction.maps import sum_on_device
from carvana.recipe_files import load_recipe
from carvana.training import parts
from carvana.training.slices import arranged

_CPU: Final = torch.device("cpu")


class Traffic(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what each operation reads and writes, every tensor once; views move nothing.

    Attributes:
        total: bytes so far.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total: int = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if not function.is_view:
            tensors = {id(one): one for one in tree_iter((args, kwargs, result)) if isinstance(one, Tensor)}
            self.total += sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
        return result


@cache
def bytes_of_training(model: str, geometry: Geometry, precision: str, checkpointing: bool, autotune: bool) -> float:
    """Per image of a step at the recipe's batch."""
    configure(1, precision, autotune)
    recipe = load_recipe(model)
    images = recipe.training.batch_size
    size = geometry.network_size(recipe.input.size)
    with FakeTensorMode(), Traffic() as traffic, as_on_gpu():
        network = build_network(recipe)
        optimizer = parts.optimizer(recipe, recipe.optimizer.name, network)
        objective = parts.objective(recipe, geometry)
        forward = arranged(network.train(), precision, [_CPU], checkpointing)
        images_N3HW, masks_N1HW = torch.empty(images, 3, *size), torch.empty(images, 1, *size)
        traffic.total = 0
        objective.terms(forward(images_N3HW), masks_N1HW)["loss"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return float(traffic.total / images)


@cache
def bytes_of_prediction(model: str, geometry: Geometry, precision: str) -> float:
    """Of one image's map by one network."""
    recipe = load_recipe(model)
    size = geometry.network_size(recipe.input.size)
    # Weights that do not exist cannot be rounded.
    forward = arranged(build_network(recipe).eval(), precision, [_CPU], activation_checkpointing=False)
    with FakeTensorMode(allow_non_fake_inputs=True), Traffic() as traffic:
        image_3HW = torch.empty(3, *size)
        traffic.total = 0
        sum_on_device([forward], image_3HW, recipe, geometry.image_size)
    return float(traffic.total)
