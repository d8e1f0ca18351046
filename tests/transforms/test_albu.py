from dataclasses import replace

import numpy as np
import pytest

from carvana.geometry import FULL, SMALL
from carvana.recipe_files import load_recipe
from carvana.transforms import colour, hsv, spatial
from carvana.transforms.albu import Draw, build
from carvana.transforms.spatial import ShiftScaleRotate
from tests.transforms.distributions import assert_independent, assert_probability, assert_uniform, assert_unrelated
from tests.transforms.distributions import draws_of as many_draws

RELEASED = load_recipe("linknet34_fma_s44")


@pytest.fixture(scope="module")
def transforms():
    return build(RELEASED, SMALL)


@pytest.fixture(scope="module")
def draws(transforms):
    return many_draws(transforms)


def test_probabilities(draws):
    happened = {
        "flip": [draw.flip for draw in draws],
        "geometry": [draw.geometry is not None for draw in draws],
        "brightness": [draw.brightness is not None for draw in draws],
        "hsv": [draw.hsv is not None for draw in draws],
    }
    for name, probability in {"flip": 0.5, "geometry": 0.75, "brightness": 0.5, "hsv": 0.5}.items():
        assert_probability(happened[name], probability)
    assert_independent(**happened)


def test_ranges(draws):
    geometry = [draw.geometry for draw in draws if draw.geometry]
    angles, scales = [drawn.angle for drawn in geometry], [drawn.scale for drawn in geometry]
    assert_uniform(angles, -5, 5)
    assert_uniform(scales, 0.9, 1.1)
    assert_unrelated(angles, scales)
    assert_uniform([draw.brightness for draw in draws if draw.brightness is not None], 0.9, 1.1)
    shifts = np.array([draw.hsv for draw in draws if draw.hsv])
    for values, limit in zip(shifts.T, (10, 25, 25), strict=True):
        assert_uniform(values, -limit, limit)
    assert_unrelated(*shifts.T)


def test_released_shift_is_always_0(draws):
    assert {(draw.geometry.shift_x, draw.geometry.shift_y) for draw in draws if draw.geometry} == {(0, 0)}


def test_shift_rounded_after_scaling_moves_the_image():
    """The evident intent, which the slides present: fractions of the width to the right, of the height down."""
    released = build(RELEASED, FULL)
    spec = released.augmentation.model_copy(update={"shift_rounded_before_scaling": False})
    geometry = [draw.geometry for draw in many_draws(replace(released, augmentation=spec))]
    shifts_x, shifts_y = ([getattr(drawn, name) for drawn in geometry if drawn] for name in ("shift_x", "shift_y"))
    assert_uniform(shifts_x, -120, 120)
    assert_uniform(shifts_y, -80, 80)
    assert_unrelated(shifts_x, shifts_y)


def test_epoch_does_not_matter(transforms):
    assert transforms.sample(np.random.default_rng(3), 0) == transforms.sample(np.random.default_rng(3), 39)


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("geometry", [None, ShiftScaleRotate(4.5, 0.93, 0, 0), ShiftScaleRotate(-2, 1.08, 7.5, -3)])
def test_mask_goes_with_the_image(transforms, mask_as_image, flipped, geometry):
    image_HWC, mask_HW = mask_as_image
    x_HWC, target_HW = transforms.train(transforms.prepare(image_HWC, mask_HW), Draw(flipped, geometry, None, None))
    for channel_HW in np.moveaxis(x_HWC, 2, 0):
        np.testing.assert_array_equal(channel_HW, target_HW)
    soft = np.logical_and(target_HW > 0, target_HW < 255).any()
    assert soft == (geometry is not None)


def test_border_is_flipped_with_the_image(transforms, car):
    image_HWC, mask_HW = car
    x_HWC, _ = transforms.train(transforms.prepare(np.maximum(image_HWC, 1), mask_HW), Draw(True, None, None, None))
    np.testing.assert_array_equal(np.flatnonzero(~x_HWC.any(axis=(0, 2))), [0, 1])


def test_order(transforms, car):
    """Border, flip, warp, brightness, HSV; each step is proved by golden values or by its own tests."""
    image_HWC, mask_HW = car
    warp = ShiftScaleRotate(-3, 1.07, 0, 0)
    x_HWC, _ = transforms.train(transforms.prepare(image_HWC, mask_HW), Draw(True, warp, 1.08, (9.0, -20.0, 12.0)))
    expected_HWC = spatial.shift_scale_rotate(spatial.flip(spatial.zeros_right(image_HWC)), warp)
    expected_HWC = hsv.shift_hsv(colour.scale_brightness_8_bits(expected_HWC, 1.08), 9, -20, 12)
    np.testing.assert_array_equal(x_HWC, expected_HWC)


def test_clahe_variants_equalise_in_training_validation_and_prediction(car):
    image_HWC, mask_HW = car
    dull_HWC = (image_HWC // 4 + 90).astype(np.uint8)
    plain = build(RELEASED, SMALL)
    equalised_HWC = colour.equalise_luma(dull_HWC, 2.0, (8, 8))
    assert equalised_HWC.std() > 1.5 * dull_HWC.std()
    for model in ("linknet34_f04a_clahe", "linknet34_f04a_clahe_rmsprop"):
        variant = build(load_recipe(model), SMALL)
        draw = Draw(False, None, None, None)
        for found in (
            variant.train(variant.prepare(dull_HWC, mask_HW), draw)[0],
            variant.valid(variant.prepare(dull_HWC, mask_HW), mask_HW)[0],
            variant.predict(dull_HWC),
        ):
            np.testing.assert_array_equal(found, plain.predict(equalised_HWC))


def test_a_sample_depends_on_its_arguments_alone(transforms, car):
    image_HWC, mask_HW = car
    prepared_HW4 = transforms.prepare(image_HWC, mask_HW)
    for draw in (Draw(True, ShiftScaleRotate(1, 1.1, 0, 0), 0.9, (1.0, 2.0, 3.0)), Draw(False, None, None, None)):
        first, second = (transforms.train(prepared_HW4, draw) for _ in range(2))
        for one, other, shape in zip(first, second, ((*SMALL.wide_size, 3), SMALL.wide_size), strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == np.uint8 and one.flags.c_contiguous and one.shape == shape
