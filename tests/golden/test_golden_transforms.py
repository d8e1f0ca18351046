"""The transforms, alone and as a member's whole training transform, against the published programs' results.

The released scripts drew their parameters inside their transforms. `Replay` hands the very same draws, in the same
order, to our samplers, and refuses a draw that asks for another range than the author did.
"""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from carvana.geometry import Geometry
from carvana.recipe_files import load_recipe
from carvana.transforms import albu, asanakoy, colour, hsv, spatial, ternaus
from carvana.transforms.spatial import parted
from tests.golden.compare import UNETS, close, equal
from tests.golden.inputs import ellipse_mask
from tests.transforms.floats import image_floats, sample_floats

# ternausnet: 96x126 images with their border; linknet34: 80x118; asanakoy: 160x240 images, networks at 128x128.
TERNAUS = Geometry("golden", (96, 126), (96, 128), (128, 128))
ALBU = Geometry("golden", (80, 118), (80, 120), (128, 128))
ASANAKOY = Geometry("golden", (160, 240), (160, 242), (128, 128))

ASPECT = ["uniform", 1, 1, 1.0]


class Replay:
    """Gives an author's draws as a generator's."""

    def __init__(self, draws):
        # The released script also draws an aspect ratio between 1 and 1, which ours need not.
        self._draws = iter([draw for draw in draws if draw != ASPECT])

    def random(self):
        kind, drawn = next(self._draws)
        assert kind == "random"
        return drawn

    def uniform(self, low, high):
        kind, expected_low, expected_high, drawn = next(self._draws)
        assert (kind, low, high) == ("uniform", expected_low, expected_high)
        return drawn

    def left(self):
        return list(self._draws)


def sample_with(transforms, draws, epoch):
    """What the sampler makes of an author's draws; all of them are used."""
    replay = Replay(draws)
    draw = transforms.sample(replay, epoch)
    assert replay.left() == []
    return draw


def equal_floats(what, found, expected):
    """The same type, and no further apart than one rounding of a value near 1."""
    assert found.dtype == expected.dtype
    close(UNETS, what, found, expected, np.finfo(expected.dtype).eps)


def rgb(image_HWC):
    return np.ascontiguousarray(image_HWC[..., ::-1])


# --- ternausnet


@pytest.fixture
def ternaus_file(smooth_image):
    """What the decoder gives: BGR and a mask of 0 and 1."""
    return smooth_image(3, 96, 126), ellipse_mask(96, 126)


def test_ternaus_loading(golden, ternaus_file):
    transforms = ternaus.build(load_recipe("ternausnet"), TERNAUS)
    image_HWC, mask_HW = parted(transforms.prepare(*ternaus_file))
    equal("ternausnet", "image as loaded", image_HWC, golden("ternausnet")["load_image"])
    equal("ternausnet", "mask as loaded", mask_HW, 255 * golden("ternausnet")["load_mask"])


def test_ternaus_validation_and_prediction(golden, ternaus_file):
    transforms = ternaus.build(load_recipe("ternausnet"), TERNAUS)
    x_CHW, target_1HW = sample_floats(transforms, transforms.valid(transforms.prepare(*ternaus_file), ternaus_file[1]))
    stored = golden("ternausnet")
    equal("ternausnet", "network input, validation", x_CHW, stored["img_transform"])
    equal("ternausnet", "target, validation", target_1HW[0], stored["load_mask"])
    x_CHW = image_floats(transforms, transforms.predict(ternaus_file[0]))
    equal("ternausnet", "network input, prediction", x_CHW, stored["img_transform"])


def test_ternaus_grey_car(golden):
    stored = golden("ternausnet")
    found = colour.grey_car(stored["load_image"], stored["load_mask"])
    equal("ternausnet", "grey car", found, stored["gray_aug"])


@pytest.mark.parametrize("index", range(4))
def test_ternaus_hsv_shift(golden, index):
    stored = golden("ternausnet")
    found = hsv.shift_hsv(stored["load_image"], *stored["hsv_shifts"][index])
    equal("ternausnet", "HSV shift", found, stored["hsv_aug"][index])


@pytest.mark.parametrize("flipped", [False, True])
def test_ternaus_training_goes_through_the_same(golden, ternaus_file, flipped):
    """Grey and HSV shift act on each pixel alone, so a flip before them is a flip after them."""
    stored = golden("ternausnet")
    transforms = ternaus.build(load_recipe("ternausnet"), TERNAUS)
    step = -1 if flipped else 1
    prepared_HW4 = transforms.prepare(*ternaus_file)
    grey_HWC, target_HW = transforms.train(prepared_HW4, ternaus.Draw(flipped, None, grey=True))
    equal("ternausnet", "network input, training: grey car", grey_HWC[:, ::step], stored["gray_aug"])
    equal("ternausnet", "target, training", target_HW[:, ::step], 255 * stored["load_mask"])
    shifts = tuple(stored["hsv_shifts"][1])
    shifted_HWC, _ = transforms.train(prepared_HW4, ternaus.Draw(flipped, shifts, grey=False))
    equal("ternausnet", "network input, training: HSV shift", shifted_HWC[:, ::step], stored["hsv_aug"][1])


# --- linknet34


@pytest.fixture
def albu_file(smooth_image):
    return smooth_image(14, 128, 192), ellipse_mask(128, 192)


def test_albu_clahe(golden, smooth_image):
    found = colour.equalise_luma(smooth_image(13, 80, 118), clip_limit=2.0, tiles=(8, 8))
    equal("linknet34", "CLAHE", found, golden("linknet34")["clahe"])


def test_albu_border(golden, smooth_image):
    stored, image_HWC, mask_HW = golden("linknet34"), smooth_image(13, 80, 118), 255 * ellipse_mask(80, 118)
    equal("linknet34", "border", spatial.zeros_right(image_HWC), stored["pad"])
    equal("linknet34", "border of the mask", spatial.zeros_right(mask_HW), stored["pad_mask"])
    trained_HWC, trained_HW = spatial.parted(spatial.joined(image_HWC, mask_HW, columns_right=spatial.ZERO_COLUMNS))
    equal("linknet34", "border, training", trained_HWC, stored["pad"])
    equal("linknet34", "border of the mask, training", trained_HW, stored["pad_mask"])


def test_albu_prediction(golden, smooth_image):
    """Blue first, divided by 255 only; equalised before the border, so that the border stays 0."""
    image_HWC, stored = smooth_image(13, 80, 118), golden("linknet34")
    transforms = albu.build(load_recipe("linknet34_fma_s44"), ALBU)
    plain_CHW = image_floats(transforms, transforms.predict(image_HWC))
    expected_HWC = stored["pad"].astype(np.float32) / np.float32(255)
    equal("linknet34", "network input, prediction", plain_CHW.transpose(1, 2, 0), expected_HWC)
    transforms = albu.build(load_recipe("linknet34_f04a_clahe"), ALBU)
    equalised_CHW = image_floats(transforms, transforms.predict(image_HWC))
    expected_HWC = spatial.zeros_right(stored["clahe"]).astype(np.float32) / np.float32(255)
    equal("linknet34", "network input, prediction: CLAHE", equalised_CHW.transpose(1, 2, 0), expected_HWC)


@pytest.mark.parametrize("index", range(4))
def test_albu_shift_scale_rotate(golden, albu_file, index):
    stored = golden("linknet34")
    angle, scale, fraction_x, fraction_y = stored["ssr_params"][index].tolist()
    image_HWC, mask_HW = albu_file
    size = image_HWC.shape[:2]
    transforms = albu.build(load_recipe("linknet34_fma_s44"), Geometry("golden", size, size, (128, 128)))
    draws = [
        ["random", 1.0],
        ["random", 0.0],
        ["uniform", -5, 5, angle],
        ["uniform", 0.9, 1.1, scale],
        ["uniform", -0.0625, 0.0625, fraction_x],
        ["uniform", -0.0625, 0.0625, fraction_y],
        ["random", 1.0],
        ["random", 1.0],
    ]
    draw = sample_with(transforms, draws, epoch=0)
    warped_HWC, warped_HW = spatial.parted(
        spatial.shift_scale_rotate(spatial.joined(image_HWC, 255 * mask_HW), draw.geometry)
    )
    equal("linknet34", "shift-scale-rotate", warped_HWC, stored["ssr_img"][index])
    equal("linknet34", "shift-scale-rotate of the mask", warped_HW, stored["ssr_mask"][index])


@pytest.mark.parametrize("index", range(3))
def test_albu_brightness(golden, albu_file, index):
    stored = golden("linknet34")
    transforms = albu.build(load_recipe("linknet34_fma_s44"), ALBU)
    draws = [["random", 1.0], ["random", 1.0], ["random", 0.0], ["uniform", -1, 1, stored["brightness_u"][index]]]
    draw = sample_with(transforms, [*draws, ["random", 1.0]], epoch=0)
    found = colour.scale_brightness_8_bits(albu_file[0], draw.brightness)
    equal("linknet34", "brightness", found, stored["brightness"][index])


@pytest.mark.parametrize("index", range(3))
def test_albu_hsv_shift(golden, albu_file, index):
    stored = golden("linknet34")
    found = hsv.shift_hsv(albu_file[0], *stored["hsv_shifts"][index])
    equal("linknet34", "HSV shift", found, stored["hsv"][index])


# --- unet_scratch, unet_vgg11


@pytest.fixture
def asanakoy_file(smooth_image):
    """The golden image is RGB; the decoder gives BGR."""
    return rgb(smooth_image(23, 160, 240)), ellipse_mask(160, 240)


def test_asanakoy_resizing(golden, smooth_image):
    stored = golden("asanakoy")
    image_HWC = spatial.resize_bilinear(smooth_image(23, 160, 240), (128, 128))
    equal(UNETS, "resizing", image_HWC, stored["rescale_img"])
    mask_HW = spatial.resize_bilinear(255 * ellipse_mask(160, 240), (128, 128))
    equal(UNETS, "resizing of the mask", mask_HW, stored["rescale_mask"])


def test_asanakoy_padding_which_no_recipe_uses(golden, smooth_image):
    """The library has no code for it; that the values are OpenCV's edge replication is all there is to say."""
    padded = cv2.copyMakeBorder(smooth_image(23, 160, 240), 0, 0, 0, 2, cv2.BORDER_REPLICATE)
    np.testing.assert_array_equal(padded, golden("asanakoy")["pad_img"])


@pytest.mark.parametrize("index", range(3))
def test_asanakoy_shift_scale_rotate(golden, index):
    stored = golden("asanakoy")
    angle, scale, aspect, fraction_x, fraction_y = stored["ssr_params"][index].tolist()
    assert aspect == 1
    draw = spatial.ShiftScaleRotate(angle, scale, round(fraction_x * 128), round(fraction_y * 128))
    warped_HWC, warped_HW = spatial.parted(
        spatial.shift_scale_rotate(spatial.joined(stored["rescale_img"], stored["rescale_mask"]), draw)
    )
    equal(UNETS, "shift-scale-rotate", warped_HWC, stored["ssr_img"][index])
    equal(UNETS, "shift-scale-rotate of the mask", warped_HW, stored["ssr_mask"][index])


LEVELS = np.arange(256, dtype=np.float32) / np.float32(255)


def floats(image_HWC):
    return LEVELS[np.moveaxis(image_HWC, 2, 0)]


def contrast(image_HWC, factor):
    return colour.scale_contrast(floats(image_HWC), factor, colour.mean_luminance(image_HWC, LEVELS))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("brightness", lambda image_HWC, factor: colour.scale_brightness(floats(image_HWC), factor)),
        ("contrast", contrast),
        ("saturation", lambda image_HWC, factor: colour.scale_saturation(image_HWC, LEVELS, factor)),
    ],
)
@pytest.mark.parametrize("index", range(3))
def test_asanakoy_colour(golden, name, change, index):
    stored = golden("asanakoy")
    found_CHW = change(stored["rescale_img"], 1 + stored[f"{name}_u"][index].item())
    equal_floats(name, np.moveaxis(found_CHW, 0, 2), stored[name][index])


def test_asanakoy_grey(golden):
    stored = golden("asanakoy")
    grey_HW = colour.luminance(floats(stored["rescale_img"]))
    equal_floats("grey", np.stack([grey_HW] * 3, axis=2), stored["gray"])


@pytest.mark.parametrize(
    ("model", "epoch", "case"),
    [
        ("unet_scratch", 0, "2_colour"),
        ("unet_scratch", 249, "2_grey"),
        ("unet_vgg11", 0, "1_colour"),
        ("unet_vgg11", 14, "1_grey"),
        ("unet_vgg11", 15, "0"),
    ],
)
def test_asanakoy_whole_training_transform(golden, golden_json, asanakoy_file, model, epoch, case):
    """Sampled with the author's draws. The golden values of aug=0 were made without normalisation."""
    transforms = asanakoy.build(load_recipe(model), ASANAKOY)
    if case == "0":
        transforms = replace(transforms, normalised=False)
    draw = sample_with(transforms, golden_json("asanakoy_transform_draws")[case], epoch)
    image_HWC, mask_HW = asanakoy_file
    x_CHW, target_1HW = sample_floats(transforms, transforms.train(transforms.prepare(image_HWC, mask_HW), draw))
    equal(model, "network input, training", x_CHW, golden("asanakoy")[f"tt_{case}_img"])
    equal(model, "target, training", 255 * target_1HW, golden("asanakoy")[f"tt_{case}_mask"])


def test_asanakoy_validation_and_prediction(golden, golden_json, asanakoy_file):
    transforms = asanakoy.build(load_recipe("unet_scratch"), ASANAKOY)
    assert golden_json("asanakoy_transform_draws")["None"] == []
    prepared_HW4 = transforms.prepare(*asanakoy_file)
    x_CHW, target_1HW = sample_floats(transforms, transforms.valid(prepared_HW4, asanakoy_file[1]))
    stored, x_of_prediction_CHW = golden("asanakoy"), image_floats(transforms, transforms.predict(asanakoy_file[0]))
    equal("unet_scratch", "network input, validation", x_CHW, stored["tt_None_img"])
    equal("unet_scratch", "target, validation", 255 * target_1HW, stored["tt_None_mask"])
    equal("unet_scratch", "network input, prediction", x_of_prediction_CHW, stored["tt_None_img"])
