"""What every model's transforms do to an image, by plain NumPy formulas over the recipe's `input` section."""

import numpy as np
import pytest
from PIL import Image

from carvana.geometry import SMALL
from carvana.recipe_files import load_recipe, model_names
from carvana.transforms.colour import equalise_luma
from carvana.transforms.protocol import build_transforms
from tests.transforms.floats import image_floats, sample_floats

WITH_BORDER = {
    "reflect_both_sides": lambda array: array[:, [1, *range(array.shape[1]), -2]],
    "zeros_right": lambda array: np.concatenate([array, np.zeros_like(array[:, :2])], axis=1),
    "none": lambda array: array,
}
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def by_formula(image_HWC, spec):
    if spec.clahe:
        image_HWC = equalise_luma(image_HWC, spec.clahe.clip_limit, spec.clahe.tiles)
    if spec.channels == "rgb":
        image_HWC = image_HWC[..., ::-1]
    if spec.size == "square":
        height, width = SMALL.unet_size
        image_HWC = np.asarray(Image.fromarray(image_HWC).resize((width, height), Image.Resampling.BILINEAR))
    x_HWC = WITH_BORDER[spec.border](image_HWC).astype(np.float32) / np.float32(255)
    if spec.normalisation == "imagenet":
        x_HWC = (x_HWC - MEAN) / DEVIATION
    return x_HWC.transpose(2, 0, 1)


@pytest.mark.parametrize("model", model_names())
def test_input_is_what_the_recipe_says(car, model):
    recipe = load_recipe(model)
    transforms = build_transforms(recipe, SMALL)
    image_HWC, mask_HW = car
    expected_CHW = by_formula(image_HWC, recipe.input)
    x_CHW, target_1HW = sample_floats(transforms, transforms.valid(transforms.prepare(image_HWC, mask_HW), mask_HW))
    np.testing.assert_array_equal(image_floats(transforms, transforms.predict(image_HWC)), expected_CHW)
    np.testing.assert_array_equal(x_CHW, expected_CHW)
    np.testing.assert_array_equal(target_1HW, WITH_BORDER[recipe.input.border](mask_HW)[None])
    assert x_CHW.dtype == target_1HW.dtype == np.float32
    assert x_CHW.flags.c_contiguous
    assert target_1HW.flags.c_contiguous
