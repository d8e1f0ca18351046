import numpy as np

from carvana.pseudo_labels.uncertainty import Uncertainty, uncertainty_of

UNCLEAR = (26, 229)


def square(inside=255, edge=255):
    """A square of 10 x 10 on 30 x 40, whose outermost pixels have another level."""
    map_HW = np.zeros((30, 40), np.uint8)
    map_HW[10:20, 10:20] = edge
    map_HW[11:19, 11:19] = inside
    return map_HW


def test_a_sure_map_has_no_doubt():
    map_HW = square()
    assert uncertainty_of(map_HW, map_HW >= 128, UNCLEAR) == Uncertainty(unclear=0, outline=36)


def test_doubt_is_the_width_of_the_unclear_band():
    map_HW = square(edge=130)
    assert uncertainty_of(map_HW, map_HW >= 128, UNCLEAR).value == 1.0
    # An inside that is not sure counts as much as an outline that is not.
    assert uncertainty_of(square(inside=200), square() >= 128, UNCLEAR).value == 64 / 36


def test_both_ends_are_unclear_and_what_is_past_them_is_not():
    levels = np.array([[0, 25, 26, 229, 230, 255]], np.uint8)
    assert uncertainty_of(levels, levels >= 128, UNCLEAR).unclear == 2


def test_the_images_edge_is_no_outline():
    whole = np.full((4, 5), 255, np.uint8)
    assert uncertainty_of(whole, whole >= 128, UNCLEAR) == Uncertainty(0, 0)
    left = whole.copy()
    left[:, 2:] = 0
    assert uncertainty_of(left, left >= 128, UNCLEAR).outline == 4


def test_a_map_without_a_car_is_the_least_sure():
    assert uncertainty_of(np.zeros((4, 5), np.uint8), np.zeros((4, 5), bool), UNCLEAR).value == float("inf")


def test_it_does_not_depend_on_how_large_the_car_is():
    small, large = np.zeros((60, 60), np.uint8), np.zeros((60, 60), np.uint8)
    small[20:30, 20:30] = large[10:50, 10:50] = 255
    for map_HW in (small, large):
        car_HW = map_HW > 0
        map_HW[car_HW & ~np.roll(car_HW, 1, axis=0)] = 140
    found = [uncertainty_of(map_HW, map_HW >= 128, UNCLEAR).value for map_HW in (small, large)]
    assert abs(found[0] - found[1]) < 0.03
