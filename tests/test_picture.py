import cv2
import numpy as np
import pytest
from PIL import Image

from carvana import picture, rle
from carvana.data.imageset import ImageSet
from carvana.data.manifest import ImageRecord, Manifest

H, W = 40, 60


@pytest.fixture
def images(tmp_path):
    truth = np.zeros((H, W), np.uint8)
    truth[10:30, 10:50] = 255
    Image.fromarray(truth).save(tmp_path / "mask.png")
    Image.fromarray(np.full((H, W, 3), 128, np.uint8)).save(tmp_path / "image.png")
    files = str(tmp_path / "image.png"), str(tmp_path / "mask.png")
    names = ("a_01.jpg", "a_02.jpg", "a_03.jpg")
    records = [ImageRecord(name, "a", 1, 1, W, H, "", files[0], files[1], "", 800) for name in names]
    return ImageSet(Manifest(tuple(records)))


@pytest.fixture
def masks(tmp_path):
    lines = ["img,rle_mask"]
    for name, last_column in (("a_01.jpg", 50), ("a_02.jpg", 20), ("a_03.jpg", 30)):
        mask = np.zeros((H, W), np.uint8)
        mask[10:30, 10:last_column] = 1
        lines.append(f"{name},{rle.encode(mask)}")
    (tmp_path / "masks.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "masks.csv"


def test_the_median_image_is_chosen(images, masks):
    assert picture.representative_image(masks, images) == "a_03.jpg"


def test_an_image_without_a_mask_does_not_count(images, masks):
    # Of the two that are left, the second in ascending order.
    masks.write_text("\n".join(masks.read_text().splitlines()[:3]) + "\n")
    assert picture.representative_image(masks, images) == "a_01.jpg"


def test_the_picture_shows_image_truth_and_prediction(tmp_path, images, masks):
    drawn = picture.picture_of("a_03.jpg", masks, images)
    for name in ("picture.png", "PICTURE.PNG"):
        picture.write_picture(tmp_path / "new" / name, drawn)
        np.testing.assert_array_equal(cv2.imread(str(tmp_path / "new" / name)), drawn)
    panels = np.split(drawn[30:], [600, 606, 1206, 1212], axis=1)[::2]
    assert [panel.shape for panel in panels] == [(400, 600, 3)] * 3
    plain, truth, prediction = panels
    assert (plain == 128).all()
    for panel, right in ((truth, 500), (prediction, 300)):
        changed = (panel != 128).any(axis=2)
        rows, columns = np.nonzero(changed)
        # The outline is two pixels wide and may reach one or two pixels over the mask.
        assert abs(int(rows.min()) - 100) <= 2
        assert abs(int(columns.max()) - right) <= 2
        assert changed[100:300, 100:right].all()


def test_a_long_caption_is_not_cut_off():
    panel_HWC = np.zeros((4, 240, 3), np.uint8)
    one, other = (
        picture.captioned(panel_HWC, f"linknet34_f04a_clahe_rmsprop: Dice 0.98{digit}")[:-4] for digit in (1, 8)
    )
    assert not np.array_equal(one, other)
    assert all((bar[:, -1] == 255).all() for bar in (one, other))
    assert (picture.captioned(panel_HWC, "image")[:-4] != 255).any()
