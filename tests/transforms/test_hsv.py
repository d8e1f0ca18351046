import cv2
import numpy as np
import pytest

from carvana.transforms.hsv import bgr_of_hue, shift_hsv
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
    """OpenCV 4 takes the other level for one of each three, in floats, with the vector units of today's processors."""
    hue, saturation, value = hsv
    assert tuple(bgr_of_hue(hue)[saturation, value]) == bgr


def test_every_hue_is_what_opencv_makes_of_it_in_floats_within_a_rounding():
    levels = np.arange(256, dtype=np.float32)
    for hue in range(256):
        hsv_HWC = np.stack(np.broadcast_arrays(np.float32(2 * hue), levels[:, None] / 255, levels / 255), axis=-1)
        bgr_HWC = 255 * cv2.cvtColor(hsv_HWC, cv2.COLOR_HSV2BGR)
        assert np.abs(bgr_of_hue(hue) - bgr_HWC).max() < 0.5001


def test_shifts_of_every_colour():
    """The colours as an image are turned to HSV, moved, and looked up, channel by channel in their own places."""
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    image_HWC = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(len(levels), -1, 3)
    hsv_N3 = cv2.cvtColor(image_HWC, cv2.COLOR_BGR2HSV).reshape(-1, 3).astype(int)
    moved_N3 = np.clip(hsv_N3 + np.array([9, -20, 12]), 0, 255)
    tables = {hue: bgr_of_hue(hue) for hue in np.unique(moved_N3[:, 0])}
    expected_N3 = [tables[hue][saturation, value] for hue, saturation, value in moved_N3]
    np.testing.assert_array_equal(shift_hsv(image_HWC, 9, -20, 12).reshape(-1, 3), expected_N3)
