import subprocess
import sys

import pytest

from carvana import rle
from carvana.data.imageset import ImageSet
from carvana.data.manifest import write_manifest
from carvana.errors import UserError
from carvana.files import write_table
from carvana.pseudo_labels.precondition import Precondition, read_precondition, write_precondition
from carvana.submission.mask_table import COLUMNS
from tests.programs import SCRIPTS

SCRIPT = SCRIPTS / "precondition.py"


def test_below_it_somebody_must_say_yes():
    Precondition("network", 0.9971, 0.997, accepted=False).check()
    Precondition("network", 0.9, 0.997, accepted=True).check()
    with pytest.raises(UserError, match=r"Dice is 0\.900000; .* from 0\.997 on, so here .*accept_below to true"):
        Precondition("network", 0.9, 0.997, accepted=False).check()


def test_it_comes_back(tmp_path):
    found = Precondition("ensemble", 0.9971, 0.997, accepted=False)
    write_precondition(found, tmp_path / "found.json")
    assert read_precondition(tmp_path / "found.json") == found


def test_the_script_judges_masks_by_the_truth(manifest, tmp_path):
    images = ImageSet(manifest)
    write_manifest(manifest, tmp_path / "train.csv")
    # Of some images only, as where a model has some folds' networks.
    rows = [(name, rle.encode(images.mask(name))) for name in manifest.names[:4]]
    write_table(tmp_path / "masks.csv", COLUMNS, rows)

    def run(*more):
        command = [SCRIPT, "--manifest", tmp_path / "train.csv", "--masks", tmp_path / "masks.csv", *more]
        command += ["--teacher", "network", "--out", tmp_path / "found.json"]
        return subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)

    assert run("--needed", 0.997).returncode == 0
    assert read_precondition(tmp_path / "found.json").dice == 1.0
    (tmp_path / "found.json").unlink()
    write_table(tmp_path / "masks.csv", COLUMNS, [*rows[:3], (rows[3][0], "")])
    done = run("--needed", 0.997)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the first round's out-of-fold Dice is 0.750000")
    assert not (tmp_path / "found.json").exists()
    done = run("--needed", 0.997, "--accept-below")
    assert done.returncode == 0 and done.stdout.startswith("warning: ")
