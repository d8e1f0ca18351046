import cv2
import numpy as np
import pytest
from PIL import Image

from carvana.data.images import decode_image, encoded_size, read_image, reduce_image
from carvana.errors import UserError
from carvana.geometry import FULL, SMALL, Geometry


@pytest.fixture
def jpeg():
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def test_reads_the_channels_as_blue_green_red(tmp_path):
    blue = np.zeros((5, 7, 3), np.uint8)
    blue[..., 0] = 200
    cv2.imwrite(str(tmp_path / "blue.png"), blue)
    image = read_image(tmp_path / "blue.png")
    assert image.dtype == np.uint8
    assert np.array_equal(image, blue)


def test_reads_what_imread_reads(tmp_path, jpeg):
    path = tmp_path / "image.jpg"
    path.write_bytes(jpeg)
    assert np.array_equal(read_image(path), np.asarray(cv2.imread(str(path))))


@pytest.mark.parametrize("lost", [1, 2, 3, 100, 1000])
def test_refuses_a_truncated_jpeg_and_names_it(tmp_path, jpeg, lost):
    path = tmp_path / "cut.jpg"
    path.write_bytes(jpeg[:-lost])
    with pytest.raises(UserError, match=r"cut\.jpg: truncated"):
        read_image(path)


def test_refuses_a_truncated_jpeg_that_holds_an_end_marker_in_its_header(jpeg):
    thumbnail = b"\xff\xe1\x00\x08\xff\xd8\xff\xd9xx"
    with_thumbnail = jpeg[:2] + thumbnail + jpeg[2:]
    assert np.array_equal(decode_image(with_thumbnail), decode_image(jpeg))
    with pytest.raises(UserError, match="truncated"):
        decode_image(with_thumbnail[:-500])


def test_bytes_after_the_end_of_a_jpeg_do_no_harm(jpeg):
    assert np.array_equal(decode_image(jpeg + b"\0" * 7), decode_image(jpeg))


def test_refuses_a_truncated_png():
    encoded = cv2.imencode(".png", np.zeros((50, 50, 3), np.uint8))[1].tobytes()
    with pytest.raises(UserError, match="truncated"):
        decode_image(encoded[:-10])


@pytest.mark.parametrize("content", [b"", b"no image", b"no image \xff\xd9"])
def test_refuses_what_is_no_image(tmp_path, content):
    path = tmp_path / "no.jpg"
    path.write_bytes(content)
    told = "is no image of a known kind; a JPEG or PNG is wanted" if content else ": truncated or unreadable"
    with pytest.raises(UserError, match=rf"no\.jpg ?{told}"):
        read_image(path)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "BMP", "TIFF"])
def test_images_of_other_kinds_are_named_as_what_they_are(tmp_path, kind):
    """Some were called truncated; a GIF that happens to hold the end of a JPEG was read."""
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (60, 40)).save(path, format=kind)
    for more in (b"", b"\xff\xd9"):
        path.write_bytes(path.read_bytes() + more)
        with pytest.raises(UserError, match=rf"photo\.jpg is a {kind} file; a JPEG or PNG is wanted: convert it"):
            read_image(path)


def test_a_missing_file_is_the_users_error(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_image(tmp_path / "missing.jpg")


def test_size_is_height_then_width(jpeg):
    assert encoded_size(jpeg) == (40, 60)
    with pytest.raises(UserError, match="unreadable"):
        encoded_size(b"no image")


def test_reduces_to_the_mean_of_the_covered_pixels():
    halved = Geometry("halved", (20, 30), (20, 32), (20, 20))
    image = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    means = image.reshape(20, 2, 30, 2, 3).mean(axis=(1, 3))
    assert np.abs(reduce_image(image, halved) - means).max() <= 0.5


def test_reduces_the_competitions_size_and_leaves_the_geometrys_own():
    image = np.full((*FULL.image_size, 3), 77, np.uint8)
    reduced = reduce_image(image, SMALL)
    assert reduced.shape == (*SMALL.image_size, 3)
    assert np.all(reduced == 77)
    assert reduce_image(image, FULL) is image
