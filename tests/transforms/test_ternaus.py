from itertools import product

import numpy as np
import pytest

from carvana.geometry import SMALL
from carvana.recipe_files import load_recipe
from carvana.transforms.ternaus import Draw, build
from tests.transforms.distributions import assert_independent, assert_probability, assert_uniform, assert_unrelated
from tests.transforms.distributions import draws_of as many_draws


@pytest.fixture(scope="module")
def transforms():
    return build(load_recipe("ternausnet"), SMALL)


@pytest.fixture(scope="module")
def draws(transforms):
    return many_draws(transforms)


def test_probabilities(draws):
    hsv, grey = [draw.hsv is not None for draw in draws], [draw.grey for draw in draws]
    assert_probability([draw.flip for draw in draws], 0.5)
    assert_probability(hsv, 0.25)
    assert_probability(grey, 0.25)
    assert not np.logical_and(hsv, grey).any()
    assert_independent(flip=[draw.flip for draw in draws], colour=np.logical_or(hsv, grey))
    assert_independent(flip=[draw.flip for draw in draws], hsv=hsv)


def test_shifts(draws):
    shifts = np.array([draw.hsv for draw in draws if draw.hsv])
    for values, limit in zip(shifts.T, (50, 5, 15), strict=True):
        assert_uniform(values, -limit, limit)
    assert_unrelated(*shifts.T)


def test_epoch_does_not_matter(transforms):
    assert transforms.sample(np.random.default_rng(3), 1) == transforms.sample(np.random.default_rng(3), 52)


@pytest.mark.parametrize("flipped", [False, True])
def test_mask_goes_with_the_image(transforms, mask_as_image, flipped):
    image_HWC, mask_HW = mask_as_image
    x_HWC, target_HW = transforms.train(transforms.prepare(image_HWC, mask_HW), Draw(flipped, None, grey=False))
    np.testing.assert_array_equal(x_HWC[..., 0], target_HW)
    assert target_HW[25, 16] == 255 * (1 - flipped)
    assert target_HW[25, -17] == 255 * flipped


def test_grey_changes_the_car_alone(transforms, car):
    image_HWC, mask_HW = car
    plain_HWC, target_HW = transforms.valid(transforms.prepare(image_HWC, mask_HW), mask_HW)
    grey_HWC, _ = transforms.train(transforms.prepare(image_HWC, mask_HW), Draw(False, None, grey=True))
    outside_HW = target_HW == 0
    np.testing.assert_array_equal(grey_HWC[outside_HW], plain_HWC[outside_HW])
    assert np.ptp(grey_HWC[~outside_HW], axis=1).max() == 0


def test_a_sample_depends_on_its_arguments_alone(transforms, car):
    image_HWC, mask_HW = car
    prepared_HW4 = transforms.prepare(image_HWC, mask_HW)
    for flipped, (hsv, grey) in product((False, True), (((3.0, 4.0, 5.0), False), (None, True), (None, False))):
        draw = Draw(flipped, hsv, grey)
        first, second = (transforms.train(prepared_HW4, draw) for _ in range(2))
        for one, other, shape in zip(first, second, ((*SMALL.wide_size, 3), SMALL.wide_size), strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == np.uint8 and one.flags.c_contiguous and one.shape == shape
