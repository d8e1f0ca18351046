import gzip
import subprocess
import sys

import pytest

from carvana.errors import UserError
from carvana.submission.check import validate_submission
from carvana.submission.joining import write_submission
from carvana.submission.mask_table import read_masks
from tests.programs import SCRIPTS
from tests.submission.tables import table

SIZE = (4, 5)
NAMES = ("b_01.jpg", "a_01.jpg", "a_02.jpg")
ROWS = {"a_01.jpg": "2 3", "a_02.jpg": "", "b_01.jpg": "7 1 9 4"}


@pytest.fixture
def shards(tmp_path):
    rows = list(ROWS.items())
    return [
        table(tmp_path / "0.csv", rows[:1], "img,rle_mask,fired", ",0"),
        table(tmp_path / "1.csv", rows[1:]),
    ]


def test_a_submission_has_every_row_in_the_samples_order(tmp_path, shards):
    path = tmp_path / "new" / "submission.csv.gz"
    write_submission(shards, NAMES, path)
    assert gzip.decompress(path.read_bytes()).decode() == ("img,rle_mask\nb_01.jpg,7 1 9 4\na_01.jpg,2 3\na_02.jpg,\n")
    assert list(read_masks(path)) == [(name, ROWS[name]) for name in NAMES]
    assert validate_submission(path, NAMES, SIZE).images == 3
    assert list(path.parent.iterdir()) == [path]


def test_equal_content_gives_equal_bytes(tmp_path, shards):
    write_submission(shards, NAMES, tmp_path / "one.csv.gz")
    write_submission(list(reversed(shards)), NAMES, tmp_path / "two.csv.gz")
    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()


def test_images_must_be_the_samples(tmp_path, shards):
    for names, message in (
        ((*NAMES, "c_01.jpg"), r"1 images have no mask \(c_01\.jpg\)"),
        (NAMES[:2], r"1 images are not in sample_submission\.csv \(a_02\.jpg\)"),
    ):
        with pytest.raises(UserError, match=message):
            write_submission(shards, names, tmp_path / "submission.csv.gz")
    with pytest.raises(UserError, match=r"a_01\.jpg is in the tables of masks twice"):
        write_submission([*shards, shards[0]], NAMES, tmp_path / "submission.csv.gz")
    assert not (tmp_path / "submission.csv.gz").exists()


def test_missing_and_damaged_tables_are_user_errors(tmp_path, shards):
    out = tmp_path / "submission.csv.gz"
    with pytest.raises(UserError, match=r"absent\.csv"):
        write_submission([tmp_path / "absent.csv"], NAMES, out)
    shards[1].write_bytes(shards[1].read_bytes()[:-2])
    with pytest.raises(UserError, match=r"1\.csv is damaged at byte"):
        write_submission(shards, NAMES, out)
    with pytest.raises(UserError, match="its columns are"):
        write_submission([table(tmp_path / "2.csv", [], "image,mask")], NAMES, out)
    assert not out.exists()


def test_the_script_checks_its_submission_as_a_stranger_would(tmp_path):
    table(tmp_path / "sample_submission.csv", [("a_01.jpg", "1 1")])

    def run(rle):
        masks = table(tmp_path / "masks.csv", [("a_01.jpg", rle)])
        places = ["--data", tmp_path, "--work-dir", tmp_path / "work", "--out", tmp_path / "s.csv.gz"]
        command = [sys.executable, SCRIPTS / "submission.py", "--masks", masks, "--geometry", "small", *places]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True)

    assert (run("2 3").returncode, run("2 3").stdout) == (0, f"{tmp_path}/s.csv.gz: 1 images, valid\n")
    wrong = run("1 3")
    assert wrong.returncode == 1
    assert "line 2: a_01.jpg: the RLE sets the image's first or last pixel" in wrong.stderr
