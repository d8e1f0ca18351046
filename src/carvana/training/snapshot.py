"""A training's state as tensors and JSON values, and back: all that the rest of the training depends on, exactly.

JSON writes a float with the digits that give it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from carvana.optimizers import name_of
from carvana.recipe import Recipe
from carvana.training import parts
from carvana.training.batches import Batch
from carvana.training.means import Means
from carvana.training.selection import Best
from carvana.training.state import EpochProgress, TrainingState
from carvana.weights import distinct_tensors, fill


@dataclass(frozen=True)
class Snapshot:
    """What can be written down: tensors on the CPU by name, and JSON values by name."""

    tensors: Mapping[str, Tensor]
    values: Mapping[str, Any]


def take(state: TrainingState) -> Snapshot:
    """The state as it is now. Gradients that wait for a later step are part of it."""
    optimizer = state.optimizer.state_dict()
    tensors = {f"network.{name}": tensor for name, tensor in distinct_tensors(state.network.state_dict()).items()}
    numbers: dict[str, Any] = {}
    for index, entry in optimizer["state"].items():
        for name, value in entry.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{index}.{name}"] = _on_cpu(value)
            else:
                numbers[f"{index}.{name}"] = value
    for index, parameter in enumerate(state.network.parameters()):
        if parameter.grad is not None:
            tensors[f"gradient.{index}"] = _on_cpu(parameter.grad)
    values = {
        "optimizer": name_of(state.optimizer),
        "optimizer_groups": [{k: v for k, v in group.items() if k != "params"} for group in optimizer["param_groups"]],
        "optimizer_numbers": numbers,
        "best": asdict(state.best),
        "next_epoch": state.next_epoch,
        "place": asdict(state.place),
    }
    memory = state.hard_negatives
    if memory is not None:
        values["hard_negatives"] = {"loss": memory.loss, "names": memory.batch and list(memory.batch.names)}
        if memory.batch is not None:
            tensors["hard_negatives.images"] = _on_cpu(memory.batch.images_N3HW)
            tensors["hard_negatives.masks"] = _on_cpu(memory.batch.masks_N1HW)
    return Snapshot(tensors, values)


def _on_cpu(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous()


def restore(state: TrainingState, snapshot: Snapshot, recipe: Recipe) -> None:
    """Put the state where the snapshot was taken.

    Args:
        state: of the same training, such as the one before its first epoch.
        snapshot: of that training.
        recipe: the training's.
    """
    tensors, values = snapshot.tensors, snapshot.values
    device = next(state.network.parameters()).device
    prefix = "network."
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    fill(state.network, own, "the saved state")
    state.optimizer = parts.optimizer(recipe, values["optimizer"], state.network)
    state.optimizer.load_state_dict(_optimizer_state(state.optimizer, snapshot))
    for index, parameter in enumerate(state.network.parameters()):
        gradient = tensors.get(f"gradient.{index}")
        parameter.grad = None if gradient is None else gradient.to(device, copy=True)
    if state.hard_negatives is not None:
        kept = values["hard_negatives"]
        state.hard_negatives.loss, state.hard_negatives.batch = kept["loss"], None
        if kept["names"] is not None:
            images, masks = tensors["hard_negatives.images"], tensors["hard_negatives.masks"]
            state.hard_negatives.batch = Batch(tuple(kept["names"]), images.clone(), masks.clone()).to(device)
    state.best = Best(**values["best"])
    state.next_epoch = values["next_epoch"]
    place = values["place"]
    state.place = EpochProgress(**{**place, "means": Means(**place["means"])})


def _optimizer_state(optimizer: torch.optim.Optimizer, snapshot: Snapshot) -> dict[str, Any]:
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in snapshot.tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "optimizer":
            index, _, what = rest.partition(".")
            state.setdefault(int(index), {})[what] = tensor.clone()
    for name, number in snapshot.values["optimizer_numbers"].items():
        index, _, what = name.partition(".")
        state.setdefault(int(index), {})[what] = number
    groups = []
    for fresh, saved in zip(optimizer.state_dict()["param_groups"], snapshot.values["optimizer_groups"], strict=True):
        # JSON knows no tuples.
        values = {name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()}
        groups.append({**values, "params": fresh["params"]})
    return {"state": state, "param_groups": groups}
