"""LinkNet34's pre-processing and augmentation (released training script)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carvana.arrays import ByteMask, Image, Pixels
from carvana.geometry import Geometry
from carvana.recipe import AlbuAugmentation, Clahe, Recipe
from carvana.transforms.colour import equalise_luma, scale_brightness_8_bits
from carvana.transforms.hsv import shift_hsv
from carvana.transforms.spatial import (
    ZERO_COLUMNS,
    ShiftScaleRotate,
    flip,
    joined,
    parted,
    shift_scale_rotate,
    zeros_right,
)


@dataclass(frozen=True)
class Draw:
    """One training sample's augmentation; `hsv` holds the shifts of hue, saturation and value."""

    flip: bool
    geometry: ShiftScaleRotate | None
    brightness: float | None
    hsv: tuple[float, float, float] | None


@dataclass(frozen=True)
class AlbuTransforms:
    """Shapes as in `Transforms`; inputs stay BGR and get two columns of zeros at the right, as the masks do."""

    augmentation: AlbuAugmentation
    clahe: Clahe | None
    size: tuple[int, int]
    normalised: bool
    resizes: bool = False

    def sample(self, rng: np.random.Generator, epoch: int) -> Draw:
        """The augmentation is the same in every epoch."""
        spec = self.augmentation
        flipped = rng.random() < spec.flip_probability
        geometry = self._sample_geometry(rng) if rng.random() < spec.shift_scale_rotate_probability else None
        brightness = None
        if rng.random() < spec.brightness_probability:
            brightness = 1 + spec.brightness * rng.uniform(-1, 1)
        if rng.random() >= spec.hsv_probability:
            return Draw(flipped, geometry, brightness, None)
        hue, saturation, value = (
            rng.uniform(-shift, shift) for shift in (spec.hue_shift, spec.saturation_shift, spec.value_shift)
        )
        return Draw(flipped, geometry, brightness, (hue, saturation, value))

    def _sample_geometry(self, rng: np.random.Generator) -> ShiftScaleRotate:
        spec = self.augmentation
        angle, scale = rng.uniform(-spec.angle, spec.angle), rng.uniform(*spec.scale)
        height, width = self.size
        fraction_x, fraction_y = rng.uniform(-spec.shift, spec.shift), rng.uniform(-spec.shift, spec.shift)
        if spec.shift_rounded_before_scaling:
            return ShiftScaleRotate(angle, scale, round(fraction_x) * width, round(fraction_y) * height)
        return ShiftScaleRotate(angle, scale, fraction_x * width, fraction_y * height)

    def prepare(self, image_HWC: Image, mask_HW: ByteMask) -> Pixels:
        """BGR, equalised if the variant does so, with its border."""
        return joined(self._equalised(image_HWC), mask_HW * np.uint8(255), columns_right=ZERO_COLUMNS)

    def train(self, prepared_HW4: Pixels, draw: Draw) -> tuple[Image, ByteMask]:
        """Flip, shift-scale-rotate, brightness, HSV shift; the warped mask stays soft at its edges."""
        both_HW4 = prepared_HW4
        if draw.flip:
            both_HW4 = flip(both_HW4)
        if draw.geometry:
            both_HW4 = shift_scale_rotate(both_HW4, draw.geometry)
        image_HWC, mask_HW = parted(both_HW4)
        if draw.brightness is not None:
            image_HWC = scale_brightness_8_bits(image_HWC, draw.brightness)
        if draw.hsv:
            image_HWC = shift_hsv(image_HWC, *draw.hsv)
        return image_HWC, mask_HW

    def valid(self, prepared_HW4: Pixels, mask_HW: ByteMask) -> tuple[Image, ByteMask]:
        """No augmentation; the mask has the border too."""
        return parted(prepared_HW4)

    def predict(self, image_HWC: Image) -> Image:
        """BGR, equalised if the variant does so, with its border."""
        return zeros_right(self._equalised(image_HWC))

    def _equalised(self, image_HWC: Image) -> Image:
        return equalise_luma(image_HWC, self.clahe.clip_limit, self.clahe.tiles) if self.clahe else image_HWC


def build(recipe: Recipe, geometry: Geometry) -> AlbuTransforms:
    """The transforms of a recipe whose augmentation is of kind `albu`."""
    assert isinstance(recipe.augmentation, AlbuAugmentation)
    normalised = recipe.input.normalisation == "imagenet"
    return AlbuTransforms(recipe.augmentation, recipe.input.clahe, geometry.network_size(recipe.input.size), normalised)
