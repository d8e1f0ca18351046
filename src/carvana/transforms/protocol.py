"""What a member's transform module offers."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, TypeVar, cast

import numpy as np

from carvana.arrays import ByteMask, Image, Pixels
from carvana.geometry import Geometry
from carvana.recipe import Recipe

Draw = TypeVar("Draw")


class Transforms(Protocol[Draw]):
    """From decoded pixels to the 8 bits of what the network receives; `inputs` makes floats of them on the device.

    Shape: image_HWC is (H, W, 3) uint8 BGR as OpenCV decodes it, mask_HW (H, W) uint8 0 or 1, both of the geometry's
    image size. What is prepared is one contiguous uint8 array (H', W', 4) at the network's size: the image, and its
    mask times 255. Results are contiguous uint8: (H', W', 3), and masks (H', W'), 255 for car.
    """

    @property
    def normalised(self) -> bool:
        """Whether the network's input is brought to ImageNet's mean and deviation."""

    def sample(self, rng: np.random.Generator, epoch: int) -> Draw:
        """Everything random about one training sample of the author's epoch `epoch`."""

    @property
    def size(self) -> tuple[int, int]:
        """(H', W') of the network's input."""

    @property
    def resizes(self) -> bool:
        """Whether preparing resizes the image, which takes longer than all the rest."""

    def prepare(self, image_HWC: Image, mask_HW: ByteMask) -> Pixels:
        """Image and mask before any random draw."""

    def train(self, prepared_HW4: Pixels, draw: Draw) -> tuple[Image, ByteMask]:
        """A training sample; it depends on nothing but its arguments, which stay as they are."""

    def valid(self, prepared_HW4: Pixels, mask_HW: ByteMask) -> tuple[Image, ByteMask]:
        """A validation sample; `mask_HW` is the mask that was prepared."""

    def predict(self, image_HWC: Image) -> Image:
        """The network's input for prediction."""


def build_transforms(recipe: Recipe, geometry: Geometry) -> Transforms[object]:
    """The transforms of the recipe's module."""
    return cast(Transforms[object], import_module(recipe.modules.transforms).build(recipe, geometry))
