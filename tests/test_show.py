import os
import shutil
import subprocess
import sys
from argparse import Namespace

import cv2
import numpy as np
import pytest

from carvana import rle
from carvana.cli import show
from carvana.data.manifest import ImageRecord, Manifest, write_manifest
from carvana.data.masks import write_mask
from carvana.errors import UserError
from carvana.files import write_table
from carvana.geometry import SMALL
from carvana.maps.mapstore import MapWriter
from carvana.picture import captioned
from carvana.report.pictures import WIDTH
from carvana.revision import ROOT
from carvana.show import picture_of_image
from carvana.submission.mask_table import COLUMNS

TRAIN, TEST = "000000000001_01.jpg", "000000000002_01.jpg"
MODELS = ("ternausnet", "unet_scratch")


@pytest.fixture
def results(tmp_path):
    """A run of two models on one training and one test image."""
    truth_HW = np.zeros(SMALL.image_size, np.uint8)
    truth_HW[20:50, 15:75] = 1
    write_mask(tmp_path / "mask.png", truth_HW)
    for split, name, mask in (("train", TRAIN, str(tmp_path / "mask.png")), ("test", TEST, "")):
        cv2.imwrite(str(tmp_path / name), np.full((*SMALL.image_size, 3), 90, np.uint8))
        record = ImageRecord(name, name[:12], 1, 1, 94, 64, "", str(tmp_path / name), mask, "", 7 if mask else None)
        write_manifest(Manifest((record,)), tmp_path / f"data/{split}.csv")
        write_table(tmp_path / f"masks/ensemble/{split}-x.csv", COLUMNS, [(name, rle.encode(truth_HW))])
        for model in MODELS:
            path = f"oof/{model}/maps.h5" if mask else f"predictions/{model}/test-01-of-01.h5"
            networks = 1 if mask else 2
            with MapWriter(tmp_path / path, [name], SMALL.image_size, "sums", model, networks) as writer:
                writer.write(name, (truth_HW * np.uint16(200 * networks)).astype(np.uint16))
    return tmp_path


@pytest.mark.parametrize(("name", "panels"), [(TRAIN, 4 + len(MODELS)), (TEST, 3 + len(MODELS))])
def test_a_panel_for_everything_that_is_known(results, name, panels):
    picture_HWC = picture_of_image(results, name)
    shutil.rmtree(results / ("oof" if name == TRAIN else "predictions"))
    fewer_HWC = picture_of_image(results, name)
    rows = -(-panels // 4), -(-(panels - len(MODELS)) // 4)
    assert picture_HWC.shape[0] / fewer_HWC.shape[0] == rows[0] / rows[1]
    # A model's car is 200 of 255, however many networks were summed.
    assert (picture_HWC == 200).all(axis=2).sum() > 20_000
    assert not (fewer_HWC == 200).all(axis=2).sum() > 20_000


def test_of_two_numbers_of_shards_the_newer_one_is_shown(results):
    for there in (results / "masks/ensemble/test-x.csv", results / "predictions/unet_scratch/test-01-of-01.h5"):
        picture_HWC = picture_of_image(results, TEST)
        for name in ("test-00-older", "test-zz-older"):
            older = there.with_name(name).with_suffix(there.suffix)
            nothing_HW = np.zeros(SMALL.image_size, np.uint8)
            if older.suffix == ".csv":
                write_table(older, COLUMNS, [(TEST, rle.encode(nothing_HW))])
            else:
                with MapWriter(older, [TEST], SMALL.image_size, "sums", "unet_scratch", 2) as writer:
                    writer.write(TEST, nothing_HW.astype(np.uint16))
            os.utime(older, (0, 0))
        np.testing.assert_array_equal(picture_of_image(results, TEST), picture_HWC)


@pytest.mark.parametrize(("name", "told"), [(TRAIN, "truth green, ensemble orange"), (TEST, "ensemble orange")])
def test_only_contours_that_are_drawn_are_named(results, name, told):
    picture_HWC = picture_of_image(results, name)
    second_HWC = picture_HWC[:, picture_HWC.shape[1] // 4 :]
    expected_HWC = captioned(np.zeros((1, WIDTH, 3), np.uint8), f"contours: {told}")
    np.testing.assert_array_equal(second_HWC[: len(expected_HWC) - 1, :WIDTH], expected_HWC[:-1])


@pytest.mark.parametrize(
    ("run", "out", "told"),
    [
        (".", "mask.png/x.png", r"mask\.png is no folder; name another place with --out"),
        (".", "mask.png/new/x.png", r"mask\.png/new cannot be written to \(Not a directory\); name another place"),
        (".", "folder.png", r"folder\.png is a folder; name another place with --out"),
        ("mask.png", "x.png", r"mask\.png: no such run folder; name a finished run's"),
        ("absent", "x.png", r"absent: no such run folder; name a finished run's"),
    ],
)
def test_folders_that_cannot_be_used_are_told(results, run, out, told):
    (results / "folder.png").mkdir()
    given = Namespace(image=TRAIN, results=results / run, out=results / out)
    with pytest.raises(UserError, match=told):
        show.run(given)


def test_images_named_from_the_checkout_are_not_looked_for_from_elsewhere(results, monkeypatch):
    record = ImageRecord(TEST, TEST[:12], 1, 1, 94, 64, "", "results/run/photo.jpg", "", "", None)
    write_manifest(Manifest((record,)), results / "data/test.csv")
    with pytest.raises(UserError, match=r"results/run/photo\.jpg is not there any more"):
        picture_of_image(results, TEST)
    monkeypatch.chdir(results / "data")
    with pytest.raises(UserError, match=f"is not the folder of this checkout: run `cd {ROOT}` first"):
        picture_of_image(results, TEST)
    (results / "data/results/run").mkdir(parents=True)
    shutil.copy(results / TEST, results / "data/results/run/photo.jpg")
    assert picture_of_image(results, TEST).shape[1] > 1200


def test_the_command_writes_where_it_says(results):
    def call(*arguments):
        command = [sys.executable, "-m", "carvana", "show", *arguments, "--run", str(results)]
        return subprocess.run(command, capture_output=True, text=True)

    done = call(TRAIN)
    assert done.returncode == 0, done.stderr
    written = cv2.imread(done.stdout.strip())
    assert written is not None
    assert written.shape[1] > 1200
    for name, told in (("000000000003_01.jpg", "is no image of"), (TRAIN, "written as .png or .jpg")):
        done = call(name, "--out", str(results / "picture.xyz"))
        assert done.returncode == 1
        assert told in done.stderr
