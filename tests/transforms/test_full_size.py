"""The competition's own size, where networks take 1280x1920 or 1024x1024."""

import numpy as np
import pytest

from carvana.geometry import FULL
from carvana.recipe_files import load_recipe
from carvana.transforms import albu, asanakoy, ternaus
from carvana.transforms.colour import Recolouring
from carvana.transforms.protocol import build_transforms
from carvana.transforms.spatial import ShiftScaleRotate
from tests.transforms.cars import noisy_car

EVERYTHING = {
    "ternausnet": ternaus.Draw(True, (50.0, -5.0, 15.0), grey=False),
    "linknet34_f04a_clahe": albu.Draw(True, ShiftScaleRotate(5, 1.1, 0, 0), 1.1, (10.0, 25.0, -25.0)),
    "unet_vgg11": asanakoy.Draw(True, ShiftScaleRotate(-10, 0.91, 64, -64), Recolouring(1.5, 0.5, 1.3, False)),
}
SIZES = {"ternausnet": (1280, 1920), "linknet34_f04a_clahe": (1280, 1920), "unet_vgg11": (1024, 1024)}


@pytest.fixture(scope="module")
def car():
    return noisy_car(FULL.image_size)


@pytest.mark.parametrize("model", EVERYTHING)
def test_sizes(car, model):
    transforms, size_HW = build_transforms(load_recipe(model), FULL), SIZES[model]
    image_HWC, mask_HW = car
    prepared_HW4 = transforms.prepare(image_HWC, mask_HW)
    assert prepared_HW4.shape == (*transforms.size, 4) == (*size_HW, 4)
    for x_HWC, target_HW, target_size in (
        (*transforms.train(prepared_HW4, EVERYTHING[model]), size_HW),
        (
            *transforms.valid(prepared_HW4, mask_HW),
            mask_HW.shape if model == "unet_vgg11" else size_HW,
        ),
    ):
        assert x_HWC.shape == (*size_HW, 3)
        assert target_HW.shape == target_size
        for array in (x_HWC, target_HW):
            assert array.dtype == np.uint8
            assert array.flags.c_contiguous
        # Whatever the size and the augmentation, about this share is car, and it lies in the middle.
        assert target_HW.mean() / 255 == pytest.approx(mask_HW.mean(), rel=0.3)
        assert target_HW[target_size[0] // 2, target_size[1] // 2] == 255
