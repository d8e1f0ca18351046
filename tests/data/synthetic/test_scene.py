import dataclasses
import itertools

import cv2
import numpy as np
import pytest

from carvana.data.masks import reduce_mask
from carvana.data.synthetic.car import build_car
from carvana.data.synthetic.fleet import KINDS, draw_car
from carvana.data.synthetic.glare import GLARE_VIEWS
from carvana.data.synthetic.scene import draw_views, draw_visit
from carvana.geometry import FULL, SMALL
from carvana.maps.postprocess import unreliable_box
from carvana.seeding import generator

RED = (200.0, 0.0, 0.0)


def views_of(visit, geometry, count=16):
    return list(itertools.islice(draw_views(visit, geometry.image_size), count))


def unsure_in_the_glare(seen, flipped):
    """A map of a network that is sure wherever the picture tells."""
    return np.where(seen.mask != flipped.mask, 127, seen.mask * 255).astype(np.uint8)


def flipped(visit):
    return dataclasses.replace(visit, raised={view: not raised for view, raised in visit.raised.items()})


def test_the_mask_is_the_silhouette_in_the_picture():
    visit = draw_visit(generator(3), "vivid", in_glare=False)
    red = dataclasses.replace(
        visit, shape=dataclasses.replace(visit.shape, colour=RED, roof_colour=RED, rim_colour=RED)
    )
    for view in views_of(red, SMALL):
        image_HWC = view.image.astype(int)
        red_HW = image_HWC[..., 0] - image_HWC[..., 1:].max(axis=2) > 30
        assert not (red_HW & ~cv2.dilate(view.mask.astype(np.uint8), np.ones((3, 3))).astype(bool)).any()
        assert (red_HW & view.mask).sum() > 0.25 * view.mask.sum()


def test_the_shadow_is_dark_and_not_car():
    visit = draw_visit(generator(4), "vivid", in_glare=False)
    bright = dataclasses.replace(visit, light=dataclasses.replace(visit.light, shadow=0.0))
    for dark_view, bright_view in zip(views_of(visit, SMALL, 5), views_of(bright, SMALL, 5), strict=True):
        darker_HW = bright_view.image.astype(int).mean(axis=2) - dark_view.image.astype(int).mean(axis=2) > 25
        assert (darker_HW & ~dark_view.mask).sum() > 100
        np.testing.assert_array_equal(dark_view.mask, bright_view.mask)


def test_one_cars_views_show_the_same_car_from_all_sides():
    widths = [
        view.mask.any(axis=0).sum() for view in views_of(draw_visit(generator(5), "vivid", in_glare=False), SMALL)
    ]
    assert np.argmax(widths) + 1 in (4, 5, 6, 12, 13, 14)
    assert np.argmin(widths) + 1 in (1, 8, 9, 10, 16)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_of_car_stands_on_the_floor_and_has_its_size(name):
    shape = draw_car(generator("kind", name), KINDS[name], "vivid")
    corners = np.array([corner for face in build_car(shape) for corner in face.corners])
    assert abs(corners[:, 2].min()) < 0.01
    assert abs(np.ptp(corners[:, 0]) - shape.length) < 0.15
    assert shape.height <= corners[:, 2].max() < shape.height + 0.6
    assert shape.width <= np.ptp(corners[:, 1]) < shape.width + 0.5


def test_in_a_glare_the_picture_does_not_tell_what_the_mask_says():
    visit = draw_visit(generator(6), "vivid", in_glare=True)
    assert sorted(visit.raised) == list(GLARE_VIEWS)
    assert sum(visit.raised.values()) == len(GLARE_VIEWS) // 2
    for one, other in zip(views_of(visit, SMALL), views_of(flipped(visit), SMALL), strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        differs_HW = one.mask != other.mask
        assert differs_HW.any() == (one.number in GLARE_VIEWS)
        if differs_HW.any():
            assert differs_HW[: SMALL.image_size[0] // 2].sum() > 200
            assert one.image[differs_HW].min() > 245
            assert unreliable_box(unsure_in_the_glare(one, other), SMALL) is not None


def test_full_size_pictures_show_what_small_ones_show():
    visit = draw_visit(generator(6), "vivid", in_glare=True)
    full = views_of(visit, FULL, GLARE_VIEWS[0])
    for large, small in zip(full, views_of(visit, SMALL, len(full)), strict=True):
        reduced_HW = reduce_mask(large.mask.astype(np.uint8), SMALL) > 0
        assert (reduced_HW != small.mask).sum() < 0.02 * small.mask.sum()
        colours = cv2.resize(large.image, SMALL.image_size[::-1], interpolation=cv2.INTER_AREA).astype(int)
        assert np.abs(colours - small.image).mean() < 6
    other = views_of(flipped(visit), SMALL, len(full))[-1]
    whole = cv2.resize(other.mask.astype(np.uint8), FULL.image_size[::-1], interpolation=cv2.INTER_NEAREST) > 0
    opened = cv2.morphologyEx((full[-1].mask != whole).astype(np.uint8), cv2.MORPH_OPEN, np.ones((25, 25))) > 0
    map_HW = np.where(opened, 127, full[-1].mask * 255).astype(np.uint8)
    assert unreliable_box(map_HW, FULL) is not None
