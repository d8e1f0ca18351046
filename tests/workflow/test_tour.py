"""docs/tour.md: its commands work, in its order, and make the pictures that it shows."""

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from carvana import rle
from carvana.data.manifest import read_manifest
from carvana.revision import ROOT
from carvana.submission.mask_table import read_masks
from tests.pages import commands, links
from tests.programs import with_programs

RESULTS = ROOT / "results/sample"
COMMANDS = commands("tour.md")
PICTURES = links("tour.md")
# The sample's bands hold for other seeds, not for every machine: what the exit code says is tested elsewhere.
VERDICTS = ("make verify",)


def run(command):
    return subprocess.run(["bash", "-c", command], cwd=ROOT, env=with_programs(), capture_output=True, text=True)


def test_the_tour_shows_pictures_that_are_there():
    assert len(PICTURES) >= 7
    for name in PICTURES:
        assert cv2.imread(str(ROOT / "docs" / name)) is not None, name


def test_what_ci_runs_is_what_is_there():
    document = yaml.safe_load((ROOT / ".github/workflows/sample.yaml").read_text())
    steps = document["jobs"]["sample"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [
        "make sample",
        "make verify",
        "make report",
        "make test-sample",
    ]
    (uploaded,) = (step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", ""))
    assert "results/sample/report.html" in uploaded.split()
    # YAML reads the key `on` as true.
    assert document[True] == ["push"]


@pytest.mark.sample
def test_the_tours_commands_make_its_pictures():
    (ROOT / "tour").mkdir(exist_ok=True)
    for name in PICTURES:
        (ROOT / name).unlink(missing_ok=True)
    for command in COMMANDS:
        if command.startswith("source "):
            continue
        done = run(command)
        verdict = command in VERDICTS and "the reproduction does not hold" in done.stdout + done.stderr
        assert done.returncode == 0 or verdict, command + done.stdout + done.stderr
    for name in PICTURES:
        made, shown = (cv2.imread(str(folder / name)) for folder in (ROOT, ROOT / "docs"))
        assert made is not None, name
        assert shown is not None
        assert made.shape == shown.shape, name
    assert (RESULTS / "report.html").stat().st_size > 100_000


@pytest.mark.sample
def test_a_photo_of_the_runs_size_gets_the_runs_own_mask(tmp_path):
    assert run("make sample").returncode == 0
    photo = Path(next(iter(read_manifest(RESULTS / "data/test.csv"))).file)
    done = run(f"python -m carvana mask {photo} --run results/sample --out {tmp_path}")
    assert done.returncode == 0, done.stderr
    made = cv2.imread(str(tmp_path / f"{photo.stem}_mask.png"), cv2.IMREAD_GRAYSCALE)
    assert made is not None
    (table,) = (RESULTS / "masks/ensemble").glob("test*.csv")
    expected = rle.decode(dict(read_masks(table))[photo.name], (made.shape[0], made.shape[1]))
    assert np.count_nonzero((made > 0) != (expected > 0)) == 0
