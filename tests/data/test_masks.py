import numpy as np
import pytest
from PIL import Image

from carvana.data.masks import read_mask, reduce_mask, write_mask
from carvana.errors import UserError
from carvana.geometry import FULL, SMALL, Geometry


@pytest.fixture
def mask():
    return (np.random.default_rng(0).random((30, 40)) < 0.4).astype(np.uint8)


def save(path, pixels, mode):
    picture = Image.fromarray(pixels, mode=mode)
    if mode == "P":
        picture.putpalette([0, 0, 0, 255, 255, 255])
    picture.save(path)
    return path


def test_reads_palette_indices_of_a_gif(tmp_path, mask):
    path = save(tmp_path / "mask.gif", mask, "P")
    assert np.array_equal(read_mask(path), mask)
    assert read_mask(path).dtype == np.uint8


def test_what_is_written_is_a_grey_png_of_0_and_255_and_is_read_again(tmp_path, mask):
    path = tmp_path / "mask.png"
    write_mask(path, mask)
    with Image.open(path) as picture:
        assert (picture.format, picture.mode) == ("PNG", "L")
        assert np.array_equal(np.asarray(picture), mask * 255)
    assert np.array_equal(read_mask(path), mask)


@pytest.mark.parametrize("value", [0, 1, 255])
def test_a_mask_of_one_value_is_binary(tmp_path, value):
    path = save(tmp_path / "mask.png", np.full((4, 5), value, np.uint8), "L")
    assert np.all(read_mask(path) == (value > 0))


@pytest.mark.parametrize("values", [(0, 1, 2), (0, 254), (0, 1, 255), (0, 254, 255)])
def test_refuses_a_mask_that_is_not_binary(tmp_path, values):
    pixels = np.resize(np.array(values, np.uint8), (6, 6))
    with pytest.raises(UserError, match=r"mask\.png: mask is not binary"):
        read_mask(save(tmp_path / "mask.png", pixels, "L"))


def test_refuses_a_colour_picture(tmp_path):
    with pytest.raises(UserError, match="3 channels"):
        read_mask(save(tmp_path / "mask.png", np.zeros((4, 4, 3), np.uint8), "RGB"))


@pytest.mark.parametrize("name", ["mask.gif", "mask.png"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9])
def test_refuses_a_truncated_mask(tmp_path, mask, name, kept):
    path = save(tmp_path / name, mask, "P" if name.endswith("gif") else "L")
    encoded = path.read_bytes()
    path.write_bytes(encoded[: int(len(encoded) * kept)])
    with pytest.raises(UserError, match="truncated or unreadable"):
        read_mask(path)


def test_a_missing_file_is_the_users_error(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_mask(tmp_path / "missing.gif")


def test_a_reduced_pixel_is_car_from_half_its_area_on():
    mask = np.zeros((4, 4), np.uint8)
    mask[:2, 0] = 1
    mask[0, 2] = 1
    mask[2:, 2:] = 1
    halved = Geometry("halved", (2, 2), (2, 2), (2, 2))
    assert np.array_equal(reduce_mask(mask, halved), [[1, 0], [0, 1]])


def test_reduced_areas_are_exact_where_pixels_are_cut():
    # Target columns are 2.5 source columns wide.
    geometry = Geometry("cut", (1, 2), (1, 2), (1, 2))
    assert np.array_equal(reduce_mask(np.array([[0, 1, 0, 0, 1]], np.uint8), geometry), [[0, 0]])
    assert np.array_equal(reduce_mask(np.array([[1, 0, 1, 0, 0]], np.uint8), geometry), [[1, 0]])
    assert np.array_equal(reduce_mask(np.array([[0, 0, 1, 1, 0]], np.uint8), geometry), [[0, 1]])


def test_reduced_masks_are_the_rounded_areas_of_the_competitions_size():
    def overlaps(source, target):
        edges = np.linspace(0, source, target + 1)
        ends = np.minimum(edges[1:, None], np.arange(1, source + 1))
        return np.clip(ends - np.maximum(edges[:-1, None], np.arange(source)), 0, None)

    coarse = np.random.default_rng(1).random((160, 274)) < 0.5
    mask = np.kron(coarse, np.ones((8, 7), np.uint8)).astype(np.uint8)
    mask[:20] = np.arange(20)[:, None] < 10  # the first target row is half car
    area = overlaps(1280, 64) @ mask @ overlaps(1918, 94).T / (20 * 1918 / 94)
    reduced = reduce_mask(mask, SMALL)
    tied = np.abs(area - 0.5) < 1e-9
    assert np.array_equal(reduced[~tied], (area > 0.5)[~tied])
    assert np.all(tied[0])
    assert np.all(reduced[tied] == 1)


def test_reduces_the_competitions_size_and_leaves_the_geometrys_own():
    mask = np.zeros(FULL.image_size, np.uint8)
    mask[:, : 1918 // 2] = 1
    reduced = reduce_mask(mask, SMALL)
    assert reduced.shape == SMALL.image_size
    assert reduced.dtype == np.uint8
    assert np.all(reduced[:, :47] == 1)
    assert np.all(reduced[:, 47:] == 0)
    assert reduce_mask(mask, FULL) is mask
