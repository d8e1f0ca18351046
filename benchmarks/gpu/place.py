"""What is measured, in which ways, and where."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import torch

from carvana.catalogue import RECIPES, models_of
from carvana.data.manifest import Manifest
from carvana.geometry import Geometry
from carvana.recipe import Recipe
from carvana.training.memory import CHECKPOINTED

# LinkNet34's variants cost the same but for CLAHE, which is the loading processes' work: the dearer one.
MODELS: Final = {recipe: models_of(recipe)[-1] for recipe in RECIPES}
LAYOUTS: Final = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Way(NamedTuple):
    """How a network is run: by the configuration's defaults, or otherwise.

    Attributes:
        layout: one of `LAYOUTS`, of memory.
        checkpointing: whether activations are computed twice.
        autotune: whether whatever is fastest is computed with, as with `deterministic: false`.
    """

    layout: str = "contiguous"
    checkpointing: bool = False
    autotune: bool = False


def ways_of(recipe: Recipe, precision: str) -> list[Way]:
    """Those to measure. Autotuned is the layout that each precision is expected to be fastest in."""
    ways = [Way(), Way("channels_last")]
    if precision == "exact" and recipe.recipe in CHECKPOINTED:
        ways.append(Way(checkpointing=True))
    if precision == "exact":
        ways.append(Way(autotune=True))
    if precision == "bf16":
        ways.append(Way("channels_last", autotune=True))
    return ways


@dataclass(frozen=True)
class Place:
    """Where and how long is measured.

    Attributes:
        device: of the tensors.
        geometry: of the images.
        seconds: of every measurement.
        workers: loading processes, and threads of the pipeline: the cores that a GPU has to itself.
        images: drawn, with masks.
        folder: for what trainings keep.
    """

    device: torch.device
    geometry: Geometry
    seconds: float
    workers: int
    images: Manifest
    folder: Path

    def wait(self) -> None:
        """Until the device has done all that it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def rate(self, work: Callable[[], int], rounds: int = 2) -> float:
        """How much `work` returns per second, after some rounds that do not count."""
        for _ in range(rounds):
            work()
        self.wait()
        begun, done = time.perf_counter(), 0
        while time.perf_counter() - begun < self.seconds:
            done += work()
            self.wait()
        return done / (time.perf_counter() - begun)
