"""One model's networks on many images.

Images are decoded by threads, computed one by one, and stored by another thread; what waits in between is bounded, so
memory does not grow with the number of images. A GPU is told of the next image before the last one's map has arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from carvana.arrays import Sums
from carvana.computing.arrival import Arrival
from carvana.computing.forward import Forward
from carvana.data.imageset import ImageSet
from carvana.errors import UserError
from carvana.geometry import Geometry
from carvana.overlap import overlapped
from carvana.prediction.maps import sum_on_device
from carvana.recipe import Recipe
from carvana.transforms.inputs import network_input
from carvana.transforms.protocol import build_transforms

PREPARED_PER_WORKER: Final = 2
WAITING_TO_BE_STORED: Final = 2


@dataclass(frozen=True)
class Pipeline:
    """How images go through the networks of one model.

    Attributes:
        recipe: of the model.
        geometry: of the run.
        images: where the pixels are.
        device: where the networks are.
        workers: threads that decode and prepare images.
        quiet: whether the progress bar is left out.
    """

    recipe: Recipe
    geometry: Geometry
    images: ImageSet
    device: torch.device
    workers: int
    quiet: bool

    def run(
        self,
        names: Sequence[str],
        forwards_for: Callable[[str], Sequence[Forward]],
        store: Callable[[str, Sums], None],
    ) -> None:
        """Prepare, compute and store the images at the same time, each in the order of `names`.

        An error in any of the three ends all and is raised.

        Args:
            names: of the images.
            forwards_for: of the networks whose 8-bit maps of an image are summed, in evaluation mode, on `device`.
            store: takes an image's name and its (H, W) sums; called by one thread of its own.

        Raises:
            UserError: an image is unreadable or not of the geometry's size.
        """
        transforms = build_transforms(self.recipe, self.geometry)
        size_HW = self.geometry.image_size

        def prepare(name: str) -> tuple[str, Tensor]:
            image_HWC = self.images.image(name)
            if image_HWC.shape[:2] != size_HW:
                raise UserError(
                    f"{name} has {image_HWC.shape[:2]} pixels, but images of the geometry {self.geometry.name} have"
                    f" {size_HW}: run the data intake for this geometry"
                )
            prepared_HWC = torch.from_numpy(transforms.predict(image_HWC))
            # A copy from page-locked memory is one that this program need not wait for.
            return name, prepared_HWC.pin_memory() if self.device.type == "cuda" else prepared_HWC

        def computed(prepared: Iterator[tuple[str, Tensor]]) -> Iterator[tuple[str, Arrival]]:
            for name, image_HWC in prepared:
                on_device_1HWC = image_HWC[None].to(self.device, non_blocking=True)
                (image_3HW,) = network_input(on_device_1HWC, transforms.normalised)
                yield name, Arrival(sum_on_device(forwards_for(name), image_3HW, self.recipe, size_HW))

        def arrived(computed: tuple[str, Arrival]) -> None:
            name, sums_HW = computed
            store(name, sums_HW.array().astype(np.uint16))

        with (
            closing(overlapped(prepare, names, self.workers, PREPARED_PER_WORKER * self.workers)) as prepared,
            closing(overlapped(arrived, computed(prepared), 1, WAITING_TO_BE_STORED)) as stored,
            tqdm(total=len(names), desc=self.recipe.model, unit="image", disable=self.quiet) as progress,
        ):
            for _ in stored:
                progress.update()
