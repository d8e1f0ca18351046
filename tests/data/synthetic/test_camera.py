import numpy as np
import pytest

from carvana.data.synthetic.camera import Camera, Layer
from carvana.data.synthetic.solids import Face, Paint, box, loft, mirrored

SIZE = (64, 96)
RED, BLUE = Paint((200, 0, 0)), Paint((0, 0, 200))


def upright(distance, half, paint):
    return Face(
        [(-half, distance, 0), (half, distance, 0), (half, distance, 2 * half), (-half, distance, 2 * half)], paint
    )


@pytest.mark.parametrize("order", [1, -1])
def test_the_nearer_face_hides_the_farther_whatever_the_order(order):
    layer = Camera(SIZE).draw([upright(0, 1, RED), upright(1, 1, BLUE)][::order])
    middle = layer.colour[layer.colour.shape[0] // 2, layer.colour.shape[1] // 2]
    assert middle[0] > 0
    assert middle[2] == 0


def test_faces_that_cross_hide_each_other_in_parts():
    leaning = Face([(-1, -1, 0), (1, 1, 0), (1, 1, 2), (-1, -1, 2)], BLUE)
    layer = Camera(SIZE).draw([upright(0, 1, RED), leaning])
    row = layer.colour[layer.colour.shape[0] // 2]
    seen = np.flatnonzero(row.any(axis=1))
    assert row[seen[2], 2] > 0 == row[seen[2], 0]
    assert row[seen[-3], 0] > 0 == row[seen[-3], 2]


def test_farther_things_are_smaller_and_the_axis_is_the_pictures_middle():
    columns = Camera((64, 96)).project(np.array([[1.0, 0, 1], [1, 4, 1], [0, 0, 1], [-1, 0, 1]]))[:, 0] / 4
    assert columns[0] - 48 > columns[1] - 48 > 0
    assert columns[2] == 48
    assert columns[0] + columns[3] == 96


def test_coverage_is_the_share_of_a_pixel():
    covered_HW = Camera(SIZE).fill([np.array([(-0.5, 0, 0.0), (0.5, 0, 0), (0.5, 0, 1), (-0.5, 0, 1)])])
    drawn = Camera(SIZE).draw([upright(0, 0.5, RED)]).whole_coverage(SIZE)
    corners = Camera(SIZE).project(np.array([(-0.5, 0, 0.0), (0.5, 0, 1)])) / 4
    area = abs(np.prod(corners[1] - corners[0]))
    np.testing.assert_array_equal(covered_HW, drawn)
    assert covered_HW.sum() / 255 == pytest.approx(area, rel=0.05)
    assert 0 < np.count_nonzero((covered_HW > 0) & (covered_HW < 255)) < 80


def test_a_layer_covers_its_background_by_its_coverage():
    window = (slice(1, 2), slice(1, 3))
    layer = Layer(np.array([[[100, 0, 0], [50, 0, 0]]], np.uint8), np.array([[255, 128]], np.uint8), window)
    result = layer.over(np.full((3, 4, 3), 80, np.uint8))
    assert result[1, 1].tolist() == [100, 0, 0]
    assert result[1, 2].tolist() == [50 + 40, 40, 40]
    assert result[0].tolist() == [[80] * 3] * 4


def test_the_light_comes_from_above_and_from_the_left():
    top = Face([(-1, -1, 1), (1, -1, 1), (1, 1, 1), (-1, 1, 1)], Paint((100, 100, 100)))
    left, right = (Face([(x, -1, 0), (x, 1, 0), (x, 1, 1), (x, -1, 1)], Paint((100, 100, 100))) for x in (-2, 2))
    brightness = [int(Camera(SIZE).draw([face]).colour.max()) for face in (top, left, right)]
    assert brightness[0] > max(brightness[1:])
    # The camera sees the inner side of each: the right one faces the light.
    assert brightness[2] > brightness[1]


def test_solids_are_closed_and_symmetrical():
    cuboid = box((1, 2, 3), (2, 4, 6), RED)
    assert len(cuboid) == 6
    corners = np.array([corner for face in cuboid for corner in face.corners])
    assert corners.min(axis=0).tolist() == [0, 0, 0]
    assert corners.max(axis=0).tolist() == [2, 4, 6]
    assert [face.corners[0][1] for face in mirrored([upright(2, 1, RED)])] == [2, -2]
    strip = loft([[(0, 0, 0), (0, 1, 0)], [(1, 0, 0), (1, 1, 0)], [(2, 0, 0), (2, 1, 0)]], lambda i, j: (RED, BLUE)[i])
    assert [face.paint for face in strip] == [RED, BLUE]
