import numpy as np
import pytest

from carvana.geometry import FULL, SMALL
from carvana.recipe_files import load_recipe
from carvana.transforms import colour
from carvana.transforms.asanakoy import Draw, build
from carvana.transforms.colour import UNCHANGED, Recolouring, recolour
from carvana.transforms.spatial import ShiftScaleRotate
from tests.transforms.distributions import assert_independent, assert_probability, assert_uniform, assert_unrelated
from tests.transforms.distributions import draws_of as many_draws

NOTHING = Draw(flip=False, geometry=None, colour=UNCHANGED)

# Model, epoch, largest angle, probability of the warp, whether colours change.
STAGES = [
    ("unet_scratch", 249, 7, 0.5, True),
    ("unet_vgg11", 0, 10, 0.5, True),
    ("unet_vgg11", 14, 10, 0.5, True),
    ("unet_vgg11", 15, 5, 0.75, False),
]


@pytest.mark.parametrize(("model", "epoch", "angle", "warped", "colours"), STAGES)
def test_probabilities_and_ranges(model, epoch, angle, warped, colours):
    draws = many_draws(build(load_recipe(model), FULL), epoch)
    happened = {
        "flip": [draw.flip for draw in draws],
        "geometry": [draw.geometry is not None for draw in draws],
        "brightness": [draw.colour.brightness is not None for draw in draws],
        "contrast": [draw.colour.contrast is not None for draw in draws],
        "saturation": [draw.colour.saturation is not None for draw in draws],
        "grey": [draw.colour.grey for draw in draws],
    }
    half, quarter = (0.5, 0.25) if colours else (0, 0)
    probabilities = {"brightness": half, "contrast": half, "saturation": half, "grey": quarter}
    for name, probability in {"flip": 0.5, "geometry": warped, **probabilities}.items():
        assert_probability(happened[name], probability)
    assert_independent(**happened)

    geometry = [draw.geometry for draw in draws if draw.geometry]
    drawn = {name: [getattr(one, name) for one in geometry] for name in ("angle", "scale", "shift_x", "shift_y")}
    assert_uniform(drawn["angle"], -angle, angle)
    assert_uniform(drawn["scale"], 0.91, 1.21)
    assert_unrelated(*drawn.values())
    for name in ("shift_x", "shift_y"):
        shifts = np.array(drawn[name])
        assert np.all(shifts == np.rint(shifts))
        # The outermost two come up half as often; 182 is what chi-squared with 128 degrees of freedom exceeds in 0.001.
        expected = np.full(129, len(shifts) / 128)
        expected[[0, -1]] /= 2
        counts = np.bincount((shifts + 64).astype(int), minlength=129)
        assert ((counts - expected) ** 2 / expected).sum() <= 182

    for name, width in {"brightness": 0.5, "contrast": 0.5, "saturation": 0.3}.items():
        factors = [getattr(draw.colour, name) for draw in draws if getattr(draw.colour, name) is not None]
        if colours:
            assert_uniform(factors, 1 - width, 1 + width)
        else:
            assert not factors


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("geometry", [None, ShiftScaleRotate(6.5, 1.15, 4, -7), ShiftScaleRotate(-9, 0.92, -8, 3)])
def test_mask_goes_with_the_image_and_is_cut_above_the_threshold(mask_as_image, flipped, geometry):
    image_HWC, mask_HW = mask_as_image
    transforms = build(load_recipe("unet_scratch"), SMALL)
    x_HWC, target_HW = transforms.train(transforms.prepare(image_HWC, mask_HW), Draw(flipped, geometry, UNCHANGED))
    levels_HW = x_HWC[..., 0]
    assert np.logical_and(levels_HW > 0, levels_HW < 255).any()
    np.testing.assert_array_equal(target_HW, 255 * (levels_HW > 128))


def test_validation_mask_keeps_the_images_size(car):
    transforms = build(load_recipe("unet_scratch"), SMALL)
    _, target_HW = transforms.valid(transforms.prepare(*car), car[1])
    np.testing.assert_array_equal(target_HW, 255 * car[1])


@pytest.mark.parametrize("channel", range(3))
def test_no_change_of_colour_is_the_same_with_and_without_the_way_through_floats(channel):
    """Every 8-bit level survives the way through floats, so it is skipped where nothing changes."""
    image_HWC = np.zeros((16, 16, 3), np.uint8)
    image_HWC[..., channel] = np.arange(256).reshape(16, 16)
    np.testing.assert_array_equal(recolour(image_HWC, UNCHANGED), image_HWC)
    np.testing.assert_array_equal(recolour(image_HWC, Recolouring(1.0, None, None, False)), image_HWC)


def test_colour_steps_follow_each_other(car):
    image_HWC = car[0]
    x_CHW = colour.scale_brightness(np.moveaxis(image_HWC, 2, 0).astype(np.float32) / np.float32(255), 1.3)
    x_CHW = colour.scale_contrast(x_CHW, 0.7, float(colour.luminance(x_CHW).mean()))
    saturated_CHW = np.clip(1.25 * x_CHW + (1 - 1.25) * colour.luminance(x_CHW), 0, 1)
    grey_CHW = np.stack([colour.luminance(saturated_CHW)] * 3)
    for turns_grey, expected_CHW in ((False, saturated_CHW), (True, grey_CHW)):
        found_HWC = recolour(image_HWC, Recolouring(1.3, 0.7, 1.25, turns_grey))
        np.testing.assert_array_equal(found_HWC, np.floor(np.moveaxis(expected_CHW, 0, 2) * 255))


def test_contrast_alone_goes_the_same_way(car):
    image_HWC = car[0]
    x_CHW = np.moveaxis(image_HWC, 2, 0).astype(np.float32) / np.float32(255)
    expected_CHW = colour.scale_contrast(x_CHW, 1.4, float(colour.luminance(x_CHW).mean()))
    found_HWC = recolour(image_HWC, Recolouring(None, 1.4, None, False))
    np.testing.assert_array_equal(found_HWC, np.floor(np.moveaxis(expected_CHW, 0, 2) * 255))


@pytest.mark.parametrize(("model", "normalised"), [("unet_scratch", False), ("unet_vgg11", True)])
def test_training_image_without_changes_is_the_validation_image(car, model, normalised):
    transforms = build(load_recipe(model), SMALL)
    image_HWC, mask_HW = car
    x_HWC, target_HW = transforms.train(transforms.prepare(image_HWC, mask_HW), NOTHING)
    np.testing.assert_array_equal(x_HWC, transforms.valid(transforms.prepare(image_HWC, mask_HW), mask_HW)[0])
    assert transforms.normalised == normalised
    assert set(np.unique(target_HW)) == {0, 255}


def test_a_sample_depends_on_its_arguments_alone(car):
    image_HWC, mask_HW = car
    transforms = build(load_recipe("unet_vgg11"), SMALL)
    prepared_HW4 = transforms.prepare(image_HWC, mask_HW)
    for draw in (Draw(True, ShiftScaleRotate(1, 1.1, 5, 2), Recolouring(0.9, 1.2, 0.8, True)), NOTHING):
        first, second = (transforms.train(prepared_HW4, draw) for _ in range(2))
        for one, other, shape in zip(first, second, ((*SMALL.unet_size, 3), SMALL.unet_size), strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == np.uint8 and one.flags.c_contiguous and one.shape == shape
