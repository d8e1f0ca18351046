"""The U-Nets' pre-processing and augmentation (released training script)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from carvana.arrays import ByteMask, Image, Pixels
from carvana.geometry import Geometry
from carvana.recipe import AsanakoyAugmentation, AsanakoyStage, Recipe
from carvana.transforms.colour import Recolouring, recolour, rgb_of_bgr
from carvana.transforms.spatial import ShiftScaleRotate, flip, joined, parted, resize_bilinear, shift_scale_rotate


@dataclass(frozen=True)
class Draw:
    """One training sample's augmentation."""

    flip: bool
    geometry: ShiftScaleRotate | None
    colour: Recolouring


@dataclass(frozen=True)
class AsanakoyTransforms:
    """Shapes as in `Transforms`; inputs are RGB, resized to a square. Validation masks keep the image's size."""

    augmentation: AsanakoyAugmentation
    size: tuple[int, int]
    normalised: bool
    resizes: bool = True

    def stage(self, epoch: int) -> AsanakoyStage:
        """The augmentation in force in the author's epoch `epoch`, counted from 0."""
        return [stage for stage in self.augmentation.stages if stage.from_epoch <= epoch][-1]

    def sample(self, rng: np.random.Generator, epoch: int) -> Draw:
        """Draws in the released script's order."""
        spec = self.stage(epoch)
        flipped = rng.random() < spec.flip_probability
        geometry = None
        if rng.random() < spec.shift_scale_rotate_probability:
            geometry = self._sample_geometry(rng, spec)
        brightness = _sample_factor(rng, spec.brightness_probability, spec.brightness)
        contrast = _sample_factor(rng, spec.contrast_probability, spec.contrast)
        saturation = _sample_factor(rng, spec.saturation_probability, spec.saturation)
        turns_grey = spec.grey_probability > 0 and rng.random() < spec.grey_probability
        return Draw(flipped, geometry, Recolouring(brightness, contrast, saturation, turns_grey))

    def _sample_geometry(self, rng: np.random.Generator, spec: AsanakoyStage) -> ShiftScaleRotate:
        angle, scale = rng.uniform(-spec.angle, spec.angle), rng.uniform(*spec.scale)
        height, width = self.size
        shift_x = round(rng.uniform(-spec.shift, spec.shift) * width)
        shift_y = round(rng.uniform(-spec.shift, spec.shift) * height)
        return ShiftScaleRotate(angle, scale, shift_x, shift_y)

    def prepare(self, image_HWC: Image, mask_HW: ByteMask) -> Pixels:
        """RGB, resized, as the mask is, whose edges become soft."""
        return resize_bilinear(joined(image_HWC, mask_HW * np.uint8(255), reverse_channels=True), self.size)

    def train(self, prepared_HW4: Pixels, draw: Draw) -> tuple[Image, ByteMask]:
        """Flip, shift-scale-rotate, colour; the mask's soft edge is cut after the warp."""
        both_HW4 = prepared_HW4
        if draw.flip:
            both_HW4 = flip(both_HW4)
        if draw.geometry:
            both_HW4 = shift_scale_rotate(both_HW4, draw.geometry)
        image_HWC, mask_HW = parted(both_HW4)
        _, car_HW = cv2.threshold(mask_HW, self.augmentation.mask_threshold, 255, cv2.THRESH_BINARY)
        return recolour(image_HWC, draw.colour), car_HW.astype(np.uint8, copy=False)

    def valid(self, prepared_HW4: Pixels, mask_HW: ByteMask) -> tuple[Image, ByteMask]:
        """No augmentation; the mask stays at the image's size."""
        return parted(prepared_HW4)[0], mask_HW * np.uint8(255)

    def predict(self, image_HWC: Image) -> Image:
        """RGB at the network's size."""
        return resize_bilinear(rgb_of_bgr(image_HWC), self.size)


def _sample_factor(rng: np.random.Generator, probability: float, width: float) -> float | None:
    """A factor around 1, or None; nothing is drawn where a stage has no such change (aug=0)."""
    if probability > 0 and rng.random() < probability:
        return 1 + rng.uniform(-width, width)
    return None


def build(recipe: Recipe, geometry: Geometry) -> AsanakoyTransforms:
    """The transforms of a recipe whose augmentation is of kind `asanakoy`."""
    assert isinstance(recipe.augmentation, AsanakoyAugmentation)
    normalised = recipe.input.normalisation == "imagenet"
    return AsanakoyTransforms(recipe.augmentation, geometry.network_size(recipe.input.size), normalised)
