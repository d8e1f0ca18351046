import numpy as np
import pytest

from carvana.transforms.hsv import bgr_of_hsv, bgr_step_by_step, shift_hsv
from tests.transforms.pixels import pixel


@pytest.mark.parametrize(
    ("shift", "whole"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (3.49, 3), (-3.51, -4)]
)
def test_hsv_shifts_are_rounded_half_to_even_before_they_are_added(image_HWC, shift, whole):
    for place in np.eye(3):
        found = shift_hsv(image_HWC, *(shift * place))
        np.testing.assert_array_equal(found, shift_hsv(image_HWC, *(whole * place)))


def test_hue_does_not_wrap_below_0():
    red = pixel(0, 0, 200)
    np.testing.assert_array_equal(shift_hsv(red, -20, 0, 0), red)


def test_hue_can_pass_180():
    """Magenta has hue 150; 150 + 40 is 10 after a whole turn, an orange red: green is a third of the way to red."""
    found = shift_hsv(pixel(240, 0, 240), 40, 0, 0)
    np.testing.assert_array_equal(found, pixel(0, 80, 240))


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        ((60, 0, 0), (0, 200, 0)),
        ((120, 0, 0), (200, 0, 0)),
        ((0, -255, 0), (200, 200, 200)),
        ((0, 0, 15), (0, 0, 215)),
        ((0, 0, 300), (0, 0, 255)),
        ((0, 0, -300), (0, 0, 0)),
    ],
)
def test_hsv_shift_of_red_read_as_blue_green_red(shifts, expected):
    np.testing.assert_array_equal(shift_hsv(pixel(0, 0, 200), *shifts), pixel(*expected))


def test_strips_do_not_show(image_HWC):
    """Row by row gives what the whole image gives."""
    rows = [shift_hsv(image_HWC[[row]], 7, -12, 9) for row in range(len(image_HWC))]
    np.testing.assert_array_equal(shift_hsv(image_HWC, 7, -12, 9), np.concatenate(rows))


@pytest.mark.parametrize(
    ("hsv", "bgr"),
    [
        ((1, 153, 25), (10, 11, 25)),
        ((3, 187, 75), (20, 25, 75)),
        ((11, 195, 255), (60, 132, 255)),
        ((244, 199, 224), (73, 224, 49)),
        ((253, 15, 15), (15, 15, 14)),
    ],
)
def test_values_just_between_two_levels(hsv, bgr):
    """OpenCV 4 takes the other level for one of each three, with the vector units of today's processors."""
    np.testing.assert_array_equal(bgr_of_hsv(pixel(*hsv)), pixel(*bgr))


def test_many_at_once_are_what_they_are_step_by_step():
    """For all of saturation and value, and hues of all sixths that have values between two levels."""
    levels = np.arange(256, dtype=np.uint8)
    for hue in (0, 7, 41, 73, 101, 131, 167, 179, 211, 253):
        hsv_HWC = np.stack(np.broadcast_arrays(np.uint8(hue), levels[:, None], levels), axis=-1)
        expected_N3 = bgr_step_by_step(hsv_HWC.reshape(-1, 3))
        np.testing.assert_array_equal(bgr_of_hsv(hsv_HWC).reshape(-1, 3), expected_N3)


def test_an_even_picture_between_two_levels():
    """Its pixels are more than are worked on at once."""
    hsv_HWC = np.full((300, 300, 3), (11, 195, 255), np.uint8)
    np.testing.assert_array_equal(bgr_of_hsv(hsv_HWC), np.full((300, 300, 3), (60, 132, 255)))
