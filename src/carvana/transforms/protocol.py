"""What a member's transform module offers."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from carvana.geometry import Geometry
from carvana.recipe import Recipe

Image = npt.NDArray[np.uint8]
Tensor = npt.NDArray[np.float32]
Draw = TypeVar("Draw")


class Transforms(Protocol[Draw]):
    """From decoded pixels to what the network receives.

    Shape: image_HWC is (H, W, 3) uint8 BGR as OpenCV decodes it, mask_HW (H, W) uint8 0 or 1, both of the geometry's
    image size. Results are contiguous float32: (3, H', W') at the network's size, and masks (1, H', W') in [0, 1].
    """

    def sample(self, rng: np.random.Generator, epoch: int) -> Draw:
        """Everything random about one training sample of the author's epoch `epoch`."""

    def train(self, image_HWC: Image, mask_HW: Image, draw: Draw) -> tuple[Tensor, Tensor]:
        """A training sample; it depends on nothing but its arguments."""

    def valid(self, image_HWC: Image, mask_HW: Image) -> tuple[Tensor, Tensor]:
        """A validation sample."""

    def predict(self, image_HWC: Image) -> Tensor:
        """The network's input for prediction."""


def build_transforms(recipe: Recipe, geometry: Geometry) -> Transforms[object]:
    """The transforms of the recipe's module."""
    return cast(Transforms[object], import_module(recipe.modules.transforms).build(recipe, geometry))
