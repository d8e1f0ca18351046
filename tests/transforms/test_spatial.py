import numpy as np
import pytest

from carvana.transforms import spatial
from carvana.transforms.spatial import ShiftScaleRotate


@pytest.fixture(name="image_HWC")
def noise():
    return np.random.default_rng(5).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_flip_exchanges_left_and_right(image_HWC):
    np.testing.assert_array_equal(spatial.flip(image_HWC), image_HWC[:, ::-1])
    np.testing.assert_array_equal(spatial.flip(image_HWC[..., 0]), image_HWC[:, ::-1, 0])


def test_shift_goes_right_and_down(image_HWC):
    found = spatial.shift_scale_rotate(image_HWC, ShiftScaleRotate(0, 1, shift_x=4, shift_y=7))
    np.testing.assert_array_equal(found[7:, 4:], image_HWC[:-7, :-4])


def test_border_is_reflected_without_repeating_the_edge(image_HWC):
    found = spatial.shift_scale_rotate(image_HWC, ShiftScaleRotate(0, 1, shift_x=4, shift_y=0))
    np.testing.assert_array_equal(found[:, :4], image_HWC[:, 4:0:-1])


def test_scale_enlarges_about_the_centre(image_HWC):
    found = spatial.shift_scale_rotate(image_HWC, ShiftScaleRotate(0, 2, 0, 0))
    np.testing.assert_array_equal(found[::2, ::2], image_HWC[10:30, 15:45])


def test_positive_angle_turns_clockwise():
    square_HW = np.random.default_rng(6).integers(0, 256, (30, 30), dtype=np.uint8)
    found = spatial.shift_scale_rotate(square_HW, ShiftScaleRotate(90, 1, 0, 0))
    # The centre is the corner of four pixels and coordinates are pixel centres, so there is one column between the two.
    np.testing.assert_array_equal(found[:, 1:], np.rot90(square_HW, -1)[:, :-1])


def test_nothing_to_warp_is_the_identity(image_HWC):
    np.testing.assert_array_equal(spatial.shift_scale_rotate(image_HWC, ShiftScaleRotate(0, 1, 0, 0)), image_HWC)


@pytest.mark.parametrize(
    "draw", [ShiftScaleRotate(4.2, 1.07, 0, 0), ShiftScaleRotate(-9, 0.92, 3, -2), ShiftScaleRotate(0, 1.2, 2.5, 0)]
)
def test_image_and_mask_in_one_warp_are_as_in_two(image_HWC, draw):
    mask_HW = image_HWC[..., 1].copy()
    found_HWC, found_HW = spatial.parted(spatial.shift_scale_rotate(spatial.joined(image_HWC, mask_HW), draw))
    np.testing.assert_array_equal(found_HWC, spatial.shift_scale_rotate(image_HWC, draw))
    np.testing.assert_array_equal(found_HW, spatial.shift_scale_rotate(mask_HW, draw))


def test_borders(image_HWC):
    reflected = spatial.reflect_both_sides(image_HWC)
    np.testing.assert_array_equal(reflected, image_HWC[:, [1, *range(60), 58]])
    padded = spatial.zeros_right(image_HWC)
    np.testing.assert_array_equal(padded[:, :60], image_HWC)
    assert padded.shape == (40, 62, 3)
    assert not padded[:, 60:].any()


def test_image_and_mask_resized_together_are_as_apart(image_HWC):
    mask_HW = image_HWC[..., 1].copy()
    found_HWC, found_HW = spatial.parted(spatial.resize_bilinear(spatial.joined(image_HWC, mask_HW), (17, 23)))
    np.testing.assert_array_equal(found_HWC, spatial.resize_bilinear(image_HWC, (17, 23)))
    np.testing.assert_array_equal(found_HW, spatial.resize_bilinear(mask_HW, (17, 23)))


def test_resizing_averages_and_keeps_grey_masks_soft():
    mask_HW = np.zeros((8, 8), np.uint8)
    mask_HW[:, 3:] = 255
    found = spatial.resize_bilinear(mask_HW, (2, 4))
    assert found.shape == (2, 4)
    assert set(found[:, 0]) == {0}
    assert set(found[:, 3]) == {255}
    assert 0 < found[0, 1] < 255
