import numpy as np
import pytest

from carvana.transforms import colour
from tests.transforms.pixels import pixel


def test_strips_do_not_show(image_HWC):
    """Row by row gives what the whole image gives."""
    change = colour.Recolouring(1.2, None, 0.8, False)
    rows = [colour.recolour(image_HWC[[row]], change) for row in range(len(image_HWC))]
    np.testing.assert_array_equal(colour.recolour(image_HWC, change), np.concatenate(rows))


def test_grey_uses_14_bit_weights():
    """Here the 15-bit weights of today's OpenCV, 9798, 19235 and 3735, give 1 less."""
    red, green, blue = 0, 2, 3
    assert (9798 * red + 19235 * green + 3735 * blue + 16384) >> 15 == 2
    assert colour.grey_of_rgb(pixel(red, green, blue)) == (9617 * 2 + 1868 * 3 + 8192) >> 14


def test_grey_car_leaves_the_background_and_a_black_car(image_HWC):
    image_HWC[:10, :5] = 0
    image_HWC[0, 0] = (0, 0, 2)
    mask_HW = np.zeros(image_HWC.shape[:2], np.uint8)
    mask_HW[:20, :10] = 1
    before_HWC = image_HWC.copy()
    found = colour.grey_car(image_HWC, mask_HW)
    np.testing.assert_array_equal(image_HWC, before_HWC)
    np.testing.assert_array_equal(found[mask_HW == 0], image_HWC[mask_HW == 0])
    # Its grey rounds to 0, so the pixel is left.
    np.testing.assert_array_equal(found[0, 0], (0, 0, 2))
    grey_HW = colour.grey_of_rgb(image_HWC[10:20, :10])
    np.testing.assert_array_equal(found[10:20, :10], np.repeat(grey_HW[..., None], 3, axis=2))


def test_8_bit_brightness_is_clipped_to_the_images_maximum_and_truncated():
    found = colour.scale_brightness_8_bits(pixel(100, 95, 33), 1.1)
    np.testing.assert_array_equal(found, pixel(100, 100, 36))
    np.testing.assert_array_equal(colour.scale_brightness_8_bits(pixel(100, 95, 33), 0.9), pixel(90, 85, 29))


@pytest.mark.parametrize("top", [255, 200])
def test_8_bit_brightness_is_truncated_at_every_level(top):
    """Also where a product lies a hair below a whole number, and with factors that no recipe draws."""
    levels_HWC = np.tile(np.arange(top + 1, dtype=np.uint8), (40, 3, 1)).transpose(0, 2, 1).copy()
    factors = [*np.linspace(0.9, 1.1, 401), 1 - 1e-7, 1 + 1e-7, np.nextafter(1, 0), 0, 2, 3.7, -0.5]
    for factor in factors:
        expected = np.clip(np.trunc(factor * levels_HWC.astype(np.float64)), 0, top)
        np.testing.assert_array_equal(colour.scale_brightness_8_bits(levels_HWC, factor), expected)


def test_clahe_keeps_the_chroma(image_HWC):
    """A grey image stays grey, and its contrast grows."""
    grey_HWC = np.repeat(image_HWC[..., :1] // 8 + np.uint8(100), 3, axis=2)
    found = colour.equalise_luma(grey_HWC, 2.0, (8, 8))
    assert np.ptp(found, axis=2).max() == 0
    assert found.std() > grey_HWC.std()


def floats(*channels):
    """One pixel, (3, 1, 1)."""
    return np.array(channels, dtype=np.float32)[:, None, None]


def test_float_brightness():
    np.testing.assert_allclose(colour.scale_brightness(floats(0.2, 0.5, 0.9), 1.5), floats(0.3, 0.75, 1), rtol=1e-6)


def test_luminance_weighs_red_as_blue():
    """The weights are those of blue, green and red, in this order, on planes of red, green and blue."""
    np.testing.assert_allclose(colour.luminance(floats(1, 0, 0)), 0.114, rtol=1e-6)
    np.testing.assert_allclose(colour.luminance(floats(0, 1, 0)), 0.587, rtol=1e-6)
    np.testing.assert_allclose(colour.luminance(floats(0, 0, 1)), 0.299, rtol=1e-6)
    np.testing.assert_allclose(colour.luminance(floats(1, 0, 1)), 0.413, rtol=1e-6)


def test_contrast_moves_away_from_the_mean_luminance():
    values = np.array([0.2, 0.6], np.float32)
    np.testing.assert_allclose(colour.scale_contrast(values, 1.5, 0.4), [0.1, 0.7], rtol=1e-5)
    np.testing.assert_allclose(colour.scale_contrast(values, 0.5, 0.4), [0.3, 0.5], rtol=1e-5)
    np.testing.assert_allclose(colour.scale_contrast(values, 4, 0.4), [0, 1], atol=1e-6)


def test_mean_luminance_is_that_of_all_pixels():
    image_HWC = np.random.default_rng(3).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    levels = np.linspace(0, 1, 256, dtype=np.float32) ** 2
    expected = colour.luminance(np.moveaxis(levels[image_HWC], 2, 0)).mean()
    assert colour.mean_luminance(image_HWC, levels) == pytest.approx(expected, rel=1e-14)


def test_saturation_moves_away_from_grey():
    levels = np.arange(256, dtype=np.float32) / np.float32(200)
    found = colour.scale_saturation(pixel(100, 100, 50), levels, 1.2)
    grey = 0.5 * (0.114 + 0.587) + 0.25 * 0.299
    np.testing.assert_allclose(found[:, 0, 0], 1.2 * np.array([0.5, 0.5, 0.25]) - 0.2 * grey, rtol=1e-6)
    unchanged = colour.scale_saturation(pixel(80, 80, 80), levels, 1.3)
    np.testing.assert_allclose(unchanged, floats(0.4, 0.4, 0.4), rtol=1e-6)


def test_rgb_of_bgr():
    np.testing.assert_array_equal(colour.rgb_of_bgr(pixel(1, 2, 3)), pixel(3, 2, 1))
