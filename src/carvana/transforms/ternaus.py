"""TernausNet's pre-processing and augmentation (released training script)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carvana.arrays import ByteMask, Image, Pixels
from carvana.geometry import Geometry
from carvana.recipe import Recipe, TernausAugmentation
from carvana.transforms.colour import grey_car, rgb_of_bgr
from carvana.transforms.hsv import shift_hsv
from carvana.transforms.spatial import flip, joined, parted, reflect_both_sides


@dataclass(frozen=True)
class Draw:
    """One training sample's augmentation; `hsv` holds the shifts of hue, saturation and value."""

    flip: bool
    hsv: tuple[float, float, float] | None
    grey: bool


@dataclass(frozen=True)
class TernausTransforms:
    """Shapes as in `Transforms`; inputs are RGB with a reflected border of one column at either side."""

    augmentation: TernausAugmentation
    size: tuple[int, int]
    normalised: bool
    resizes: bool = False

    def sample(self, rng: np.random.Generator, epoch: int) -> Draw:
        """The augmentation is the same in every epoch."""
        spec = self.augmentation
        flipped = rng.random() < spec.flip_probability
        if rng.random() >= spec.colour_probability:
            return Draw(flipped, None, grey=False)
        if rng.random() >= spec.hsv_probability:
            return Draw(flipped, None, grey=True)
        hue, saturation, value = (
            rng.uniform(-shift, shift) for shift in (spec.hue_shift, spec.saturation_shift, spec.value_shift)
        )
        return Draw(flipped, (hue, saturation, value), grey=False)

    def prepare(self, image_HWC: Image, mask_HW: ByteMask) -> Pixels:
        """RGB with its border, which the mask has too, as the released loader gives them."""
        return reflect_both_sides(joined(image_HWC, mask_HW * np.uint8(255), reverse_channels=True))

    def train(self, prepared_HW4: Pixels, draw: Draw) -> tuple[Image, ByteMask]:
        """Flip, then an HSV shift or a grey car."""
        image_HWC, mask_HW = parted(flip(prepared_HW4) if draw.flip else prepared_HW4)
        if draw.hsv:
            # The array is RGB and the conversion's BGR: the released script exchanges the channels.
            image_HWC = shift_hsv(image_HWC, *draw.hsv)
        if draw.grey:
            image_HWC = grey_car(image_HWC, mask_HW)
        return image_HWC, mask_HW

    def valid(self, prepared_HW4: Pixels, mask_HW: ByteMask) -> tuple[Image, ByteMask]:
        """No augmentation; the mask has the border too."""
        return parted(prepared_HW4)

    def predict(self, image_HWC: Image) -> Image:
        """RGB with its border."""
        return reflect_both_sides(rgb_of_bgr(image_HWC))


def build(recipe: Recipe, geometry: Geometry) -> TernausTransforms:
    """The transforms of a recipe whose augmentation is of kind `ternaus`; they keep the geometry's size."""
    assert isinstance(recipe.augmentation, TernausAugmentation)
    return TernausTransforms(
        recipe.augmentation, geometry.network_size(recipe.input.size), recipe.input.normalisation == "imagenet"
    )
