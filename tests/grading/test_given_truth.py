import gzip
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from carvana import rle
from carvana.errors import UserError
from carvana.geometry import FULL, SMALL
from carvana.grading.given_truth import read_truth
from carvana.mask_runs import mask_of_runs

CAR = "03a857ce842d"


def save_mask(folder, name, *pixels):
    mask_HW = np.zeros(SMALL.image_size, np.uint8)
    mask_HW.flat[list(pixels)] = 1
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask_HW).save(folder / f"{name}_mask.gif")


@pytest.fixture
def folder(tmp_path):
    """As Kaggle's train_masks.zip unpacks: with a folder of its name inside."""
    save_mask(tmp_path / "masks" / "train_masks", f"{CAR}_01", 3, 4)
    save_mask(tmp_path / "masks" / "train_masks", f"{CAR}_02")
    (tmp_path / "masks" / "train_masks" / "notes.txt").write_text("no mask")
    return tmp_path / "masks"


def as_text(truth):
    return {
        part: {name: rle.encode(mask_of_runs(runs, SMALL.image_size)) for name, runs in masks.items()}
        for part, masks in truth.items()
    }


def test_masks_in_a_folder_or_a_zip(folder, tmp_path):
    expected = {"All": {f"{CAR}_01.jpg": "4 2", f"{CAR}_02.jpg": ""}}
    assert as_text(read_truth(folder, SMALL)) == expected
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as archive:
        for path in sorted(folder.rglob("*.gif")):
            archive.write(path, path.relative_to(folder))
    assert as_text(read_truth(tmp_path / "masks.zip", SMALL)) == expected


def test_a_table_of_masks_plain_or_packed(tmp_path):
    text = "img,rle_mask\na_01.jpg,4 2\n"
    (tmp_path / "t.csv").write_text(text)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w") as archive:
        archive.writestr("t.csv", text)
    for name in ("t.csv", "t.csv.gz", "t.csv.zip"):
        assert as_text(read_truth(tmp_path / name, SMALL)) == {"All": {"a_01.jpg": "4 2"}}


def test_a_truth_with_usage_is_split_and_leaves_the_ignored_away(tmp_path):
    (tmp_path / "t.csv").write_text("img,rle_mask,usage\na,4 2,Public\nb,,Private\nc,1 1,Ignored\n")
    assert as_text(read_truth(tmp_path / "t.csv", SMALL)) == {"Public": {"a": "4 2"}, "Private": {"b": ""}}


@pytest.mark.parametrize("usage", ["Usage", "USAGE"])
def test_kaggle_writes_usage_with_a_capital(tmp_path, usage):
    (tmp_path / "t.csv").write_text(f"img,rle_mask,{usage}\na,4 2,Public\nc,1 1,Ignored\n")
    assert as_text(read_truth(tmp_path / "t.csv", SMALL)) == {"Public": {"a": "4 2"}, "Private": {}}


def test_masks_of_another_geometry_are_refused(folder):
    with pytest.raises(UserError, match="is 94 pixels wide and 64 high; masks of the geometry full are 1918 and 1280"):
        read_truth(folder, FULL)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("img,rle_mask\n", "has no mask to score against"),
        ("img,rle_mask\na,4 2\na,4 2\n", "a has a second mask"),
        ("img,rle_mask\na,24320 2\n", "a: the RLE goes past the last"),
        ("img,rle_mask,usage\na,1 1,Ignored\n", "has no mask to score against"),
        ("img,rle_mask\na,1 1\nb,\nc,7 1\n", "shows no car in any image: is it .* as sample_submission.csv is"),
        ("name,mask\n", "its columns are"),
        ("img,rle_mask, usage\na,4 2,Ignored\n", "take the blanks around their names away"),
    ],
)
def test_a_table_that_is_no_truth_is_refused(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_truth(tmp_path / "t.csv", SMALL)


def test_nothing_to_score_against(tmp_path):
    with pytest.raises(UserError, match="has no mask to score against"):
        read_truth(tmp_path, SMALL)
    with pytest.raises(UserError, match="no such table"):
        read_truth(tmp_path / "absent", SMALL)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="is a pipe or a device"):
        read_truth(tmp_path / "pipe", SMALL)
