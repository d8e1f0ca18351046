import numpy as np
import pytest

from carvana.geometry import FULL, SMALL, Geometry
from carvana.maps import ensemble, postprocess


def naive_erosion(mask, iterations):
    height, width = mask.shape
    eroded = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            eroded[y, x] = mask[max(y - iterations, 0) : y + 1, x].all() * 255
    return eroded


@pytest.mark.parametrize("iterations", [1, 3, 10])
def test_erosion_agrees_with_its_definition(iterations):
    rng = np.random.default_rng(iterations)
    for _ in range(10):
        mask = np.where(rng.random((30, 17)) < 0.9, 255, 0).astype(np.uint8)
        np.testing.assert_array_equal(postprocess.erode_upwards(mask, iterations), naive_erosion(mask, iterations))


def test_unsure_is_strictly_between_30_and_210():
    unsure = postprocess.unsure_pixels(np.array([[30, 31, 209, 210]], np.uint8))
    np.testing.assert_array_equal(unsure, [[0, 255, 255, 0]])


def car_with_grey_top(geometry: Geometry, grey_top: int, grey_rows: int):
    """A square car with an unsure band, in pixels of the full image."""
    height, width = geometry.image_size
    map_HW = np.zeros((height, width), np.uint8)
    left, right = geometry.length(500), geometry.length(1400)
    map_HW[geometry.length(grey_top) : geometry.length(1000), left:right] = 255
    map_HW[max(geometry.length(grey_top), 1) : geometry.length(grey_top + grey_rows), left:right] = 100
    return map_HW


def test_a_sure_map_keeps_the_mean():
    maps = car_with_grey_top(FULL, 200, 0)
    mean = maps.astype(np.float32) - np.float32(127.25) * (maps > 0)
    result = postprocess.apply(mean, maps, FULL)
    assert result.box is None
    np.testing.assert_array_equal(result.mask, mean >= 128)
    np.testing.assert_array_equal(result.levels, mean)


@pytest.mark.parametrize("geometry", [FULL, SMALL])
def test_the_rule_replaces_the_box_with_linknet34s_hull(geometry):
    map_HW = car_with_grey_top(geometry, 200, 100)
    # Everything is below the ensemble's threshold: the car in the result comes from the hull alone.
    result = postprocess.apply(np.zeros(geometry.image_size, np.float32), map_HW, geometry)
    assert result.box is not None
    margin = geometry.length(50)
    eroded = geometry.length(10)
    top = geometry.length(200) + eroded
    assert (result.box.top, result.box.left) == (top - margin, geometry.length(500) - margin)
    assert result.box.width == geometry.length(1400) - geometry.length(500) + 2 * margin
    assert result.box.height == geometry.length(100) - eroded + 2 * margin
    assert not result.box.top_was_clamped
    expected = np.zeros(geometry.image_size, bool)
    expected[result.box.slices] = map_HW[result.box.slices] > 55
    np.testing.assert_array_equal(result.mask, expected)
    np.testing.assert_array_equal(result.levels, np.where(expected, 255, 0))


def test_the_hull_fills_a_dent_and_forgets_nothing_outside_the_largest_contour():
    map_HW = car_with_grey_top(FULL, 200, 100)
    map_HW[200:260, 900:920] = 0
    map_HW[180:190, 520:530] = 255
    result = postprocess.apply(np.zeros(FULL.image_size, np.float32), map_HW, FULL)
    assert result.mask[205:255, 905:915].all()
    assert result.mask[180:190, 520:530].all()


def test_outside_the_box_the_mean_decides_at_more_than_127():
    map_HW = car_with_grey_top(FULL, 200, 100)
    mean = np.full(FULL.image_size, 127.25, np.float32)
    mean[1100:] = 127
    result = postprocess.apply(mean, map_HW, FULL)
    assert result.mask[800:1100].all()
    assert not result.mask[1100:].any()


@pytest.mark.parametrize(("rows", "columns", "fires"), [(201, 201, False), (182, 222, True)])
def test_the_rule_needs_an_area_above_40000(rows, columns, fires):
    # The polygon runs through pixel centres, so n x m pixels have an area of (n - 1) x (m - 1): 40,000 and 40,001 here.
    map_HW = np.zeros(FULL.image_size, np.uint8)
    map_HW[300 : 300 + 10 + rows, 400 : 400 + columns] = 100
    assert (postprocess.unreliable_box(map_HW, FULL) is not None) == fires


def comb(rows: int, columns: int):
    """Little area and many corners: teeth of one column, their gaps as wide, on a bar of 20 rows."""
    map_HW = np.zeros((rows, columns), np.uint8)
    map_HW[:, ::2] = 100
    map_HW[-20:] = 100
    return map_HW


def test_the_largest_contour_is_that_of_the_largest_area():
    # Not that of most corners, nor OpenCV's first or last, which lie below and above.
    map_HW = np.zeros(FULL.image_size, np.uint8)
    map_HW[40:100, 200:500] = comb(60, 300)
    map_HW[150:350, 700:1300] = 100
    map_HW[500:560, 200:500] = comb(60, 300)
    box = postprocess.unreliable_box(map_HW, FULL)
    assert box == postprocess.Box(top=160 - 50, left=700 - 50, height=190 + 100, width=600 + 100, top_was_clamped=False)


def test_the_lower_half_does_not_count():
    map_HW = np.zeros(FULL.image_size, np.uint8)
    map_HW[640:1200, 400:1400] = 100
    assert postprocess.unreliable_box(map_HW, FULL) is None
    map_HW[500:] = map_HW[640]
    box = postprocess.unreliable_box(map_HW, FULL)
    assert box is not None
    assert box.top + box.height == 640 + 50


def test_a_box_above_the_image_is_clamped_and_says_so():
    map_HW = car_with_grey_top(FULL, 20, 150)
    box = postprocess.unreliable_box(map_HW, FULL)
    assert box is not None
    assert (box.top, box.top_was_clamped) == (0, True)
    assert box.height == 150 - 10 + 100
    postprocess.apply(ensemble.mean([map_HW] * 4), map_HW, FULL)


def test_a_box_at_the_left_border_is_clamped():
    map_HW = np.zeros(FULL.image_size, np.uint8)
    map_HW[200:400, 20:1000] = 100
    box = postprocess.unreliable_box(map_HW, FULL)
    assert box is not None
    assert (box.left, box.width) == (0, 980 + 100)


def test_a_box_without_car_is_emptied():
    map_HW = np.zeros(FULL.image_size, np.uint8)
    map_HW[200:400, 400:1400] = 40
    mean = np.full(FULL.image_size, 200, np.float32)
    result = postprocess.apply(mean, map_HW, FULL)
    assert result.box is not None
    assert not result.mask[result.box.slices].any()
