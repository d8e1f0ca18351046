from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from carvana.cli import mask
from carvana.cli.mask import photos_in
from carvana.errors import UserError
from carvana.geometry import FULL, SMALL
from carvana.photo import cut_out, framed, unframed
from carvana.trained_run import TrainedRun


@pytest.mark.parametrize("size_HW", [SMALL.image_size, (700, 900), (300, 90), (64, 95), (1, 1)])
def test_a_photo_of_any_size_comes_back_at_its_size(size_HW):
    photo_HWC = np.full((*size_HW, 3), 200, np.uint8)
    image_HWC, frame = framed(photo_HWC, SMALL.image_size)
    assert image_HWC.shape == (*SMALL.image_size, 3)
    assert frame.height == SMALL.image_size[0] or frame.width == SMALL.image_size[1]
    assert unframed(np.full(SMALL.image_size, 128, np.float32), frame, size_HW).shape == size_HW


def test_a_photo_of_the_runs_size_is_not_touched():
    photo_HWC = np.random.default_rng(0).integers(0, 255, (*SMALL.image_size, 3), np.uint8)
    image_HWC, frame = framed(photo_HWC, SMALL.image_size)
    assert np.array_equal(image_HWC, photo_HWC)
    levels_HW = np.random.default_rng(1).uniform(0, 255, SMALL.image_size).astype(np.float32)
    assert np.array_equal(unframed(levels_HW, frame, SMALL.image_size), levels_HW >= 128)


def test_a_thing_is_found_where_it_was():
    photo_HWC = np.zeros((400, 300, 3), np.uint8)
    photo_HWC[100:200, 60:240] = 255
    image_HWC, frame = framed(photo_HWC, FULL.image_size)
    mask_HW = unframed(image_HWC[..., 0].astype(np.float32), frame, (400, 300))
    expected_HW = photo_HWC[..., 0] > 0
    assert np.count_nonzero(mask_HW != expected_HW) < 0.01 * expected_HW.sum()


def test_what_is_no_car_is_transparent():
    photo_HWC = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    mask_HW = np.array([[True, False, False], [False, False, True]])
    cut = cut_out(photo_HWC, mask_HW)
    assert np.array_equal(cut[..., :3], photo_HWC)
    assert cut[..., 3].tolist() == [[255, 0, 0], [0, 0, 255]]


def test_photos_of_a_folder(tmp_path, capsys):
    for name in ("b.JPG", "a.png", ".hidden.jpg"):
        (tmp_path / name).touch()
    assert [path.name for path in photos_in(tmp_path)] == ["a.png", "b.JPG"]
    assert photos_in(tmp_path / "a.png") == [tmp_path / "a.png"]
    assert capsys.readouterr().err == ""
    (tmp_path / "b.png").touch()
    with pytest.raises(UserError, match="two photos called b"):
        photos_in(tmp_path)
    with pytest.raises(UserError, match="no such photo"):
        photos_in(tmp_path / "none")


def test_what_is_no_photo_in_a_folder_is_told_in_a_line(tmp_path, capsys):
    (tmp_path / "folder.jpg").mkdir()
    for name in ("a.png", *(f"{number}.webp" for number in range(6))):
        (tmp_path / name).touch()
    assert photos_in(tmp_path) == [tmp_path / "a.png"]
    assert capsys.readouterr().err == (
        f"{tmp_path}: only .jpg, .jpeg, .png are photos; not looked at: 0.webp, 1.webp, 2.webp, 3.webp, 4.webp, ...\n"
    )


@pytest.fixture
def mask_of(tmp_path, monkeypatch):
    """A function that masks a photo of a run that seems finished, and must not come as far as to predict."""
    (tmp_path / "photo.jpg").touch()
    monkeypatch.setattr(mask, "trained_run", lambda _: TrainedRun("released", {}, SMALL, "exact"))
    monkeypatch.setattr(mask, "read_image", lambda _: pytest.fail("went on"))

    def run(results, out=None, photo="photo.jpg"):
        mask.run(Namespace(photo=tmp_path / photo, results=results, out=out))

    return run


def test_where_the_run_is_and_masks_go_is_checked_first(mask_of, tmp_path):
    file = tmp_path / "photo.jpg"
    for results in (tmp_path / "absent", file):
        with pytest.raises(UserError, match=f"^{results}: no such run folder; name a finished run's"):
            mask_of(results)
    with pytest.raises(UserError, match=r"photo\.jpg is no folder; name another place with --out"):
        mask_of(tmp_path, file)
    (tmp_path / "photos" / "photo_cutout.png").mkdir(parents=True)
    with pytest.raises(UserError, match=r"photo_cutout\.png is a folder; name another place with --out"):
        mask_of(tmp_path)
    with pytest.raises(pytest.fail.Exception, match="went on"):
        mask_of(tmp_path, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_no_photo_is_overwritten(mask_of, tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    for name in ("a.jpg", "a_mask.png", "b.jpg"):
        (tmp_path / "folder" / name).write_bytes(b"photo")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    monkeypatch.chdir(tmp_path)
    for out in ("folder", "link", "new/../folder"):
        with pytest.raises(
            UserError, match=r"a\.jpg would be masked into a_mask\.png, which would overwrite the photo"
        ):
            mask_of(tmp_path, Path(out), "folder")
    (tmp_path / "real_mask.png").write_bytes(b"photo")
    (tmp_path / "real.png").symlink_to("real_mask.png")
    with pytest.raises(UserError, match=r"overwrite the photo .*real\.png"):
        mask_of(tmp_path, Path(), "real.png")
    with pytest.raises(pytest.fail.Exception, match="went on"):
        mask_of(tmp_path, Path("folder"), "folder/a_mask.png")
    with pytest.raises(pytest.fail.Exception, match="went on"):
        mask_of(tmp_path, Path("new"), "folder")
    assert not [path for path in (tmp_path / "folder").iterdir() if path.read_bytes() != b"photo"]
