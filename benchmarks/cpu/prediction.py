"""Prediction but for its networks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import torch
from torch import Tensor, nn

from benchmarks.cpu.photos import Photos, logits_like
from benchmarks.cpu.rows import Row
from carvana.arrays import Floats, Sums
from carvana.data.imageset import ImageSet
from carvana.geometry import FULL
from carvana.maps.mapstore import MapWriter
from carvana.prediction.pipeline import Pipeline
from carvana.recipe_files import load_recipe
from carvana.transforms.protocol import build_transforms

# LinkNet34's variants with CLAHE are dearer to prepare.
MODELS: Final = ("ternausnet", "linknet34_f04a_clahe", "unet_scratch")


class SameCar(nn.Module):
    """A network that costs nothing: it sees the same car in every image."""

    def __init__(self, logits_HW: Floats, output: str, size: tuple[int, int]) -> None:
        super().__init__()
        at_size = cv2.resize(logits_HW, size[::-1])
        self._output_11HW = torch.from_numpy(at_size)[None, None]
        if output == "probabilities":
            self._output_11HW.sigmoid_()

    def forward(self, images_N3HW: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 1, H, W)."""
        return self._output_11HW.expand(len(images_N3HW), -1, -1, -1)


def prediction_alone(photos: Photos, folder: Path, model: str) -> Iterator[Row]:
    """From files to stored maps with a network that costs nothing, and what of it the CPU does where a GPU computes.

    By the processor time of all threads.
    """
    recipe, images = load_recipe(model), ImageSet(photos.manifest)
    transforms, names = build_transforms(recipe, FULL), photos.manifest.names
    network = SameCar(logits_like(photos.cars[0], 0), recipe.network.output, transforms.size)
    stored: dict[str, Sums] = {}

    def store(name: str, sums_HW: Sums) -> None:
        writer.write(name, sums_HW)
        stored[name] = sums_HW

    with MapWriter(folder / f"{model}.h5", names, FULL.image_size, "sums", model, 1) as writer:
        begun = time.process_time()
        Pipeline(recipe, FULL, images, torch.device("cpu"), 1, quiet=True).run(names, lambda _: [network], store)
        seconds = time.process_time() - begun
    yield Row(f"prediction without its networks, {model}", "ms", None, seconds / len(names) * 1000, None)

    with MapWriter(folder / f"{model}_again.h5", names, FULL.image_size, "sums", model, 1) as writer:
        begun = time.process_time()
        for name in names:
            transforms.predict(images.image(name))
            writer.write(name, stored[name])
        seconds = time.process_time() - begun
    yield Row(f"of it beside a GPU, {model}", "ms", None, seconds / len(names) * 1000, None)
