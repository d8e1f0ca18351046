"""One member's weights, packed by one run and imported by another: the same submission, byte for byte, untrained."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from carvana.released.index import read_index
from carvana.revision import ROOT
from tests.programs import SNAKEMAKE, with_programs

pytestmark = pytest.mark.slow


def snakemake(folder, *arguments, config=(), check=True):
    command = [str(SNAKEMAKE), *arguments, "--cores", "2", "--resources", "gpu=0", "--nolock"]
    command += ["--configfile", "config/tiny.yaml", "--config", f"results={folder}", 'members=["ternaus"]', *config]
    run = subprocess.run(command, cwd=ROOT, env=with_programs(), capture_output=True, text=True)
    said = run.stdout + run.stderr
    assert (run.returncode == 0) == check, said[-5000:]
    return said


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A finished run and its packed weights, moved to where another user has them."""
    folder = tmp_path_factory.mktemp("one")
    snakemake(folder, "all", "weights")
    shutil.move(folder / "tiny/weights", folder / "published")
    return folder / "tiny", folder / "published"


def test_the_folder_says_what_it_is(packed):
    run, folder = packed
    index = read_index(folder / "weights.json")
    assert len(index.networks) == 2
    for network in index.networks:
        weights = run / f"models/{network.model}/fold{network.fold}/weights.safetensors"
        assert (folder / network.file).read_bytes() == weights.read_bytes()
    assert sorted(index.folds) == ["f04a"]
    assert index.scores == tuple(json.loads((run / "scores.json").read_text()))
    head, card = (folder / "README.md").read_text().split("---\n")[1:]
    assert yaml.safe_load(head)["license"] == "mit"
    assert all(network.sha256 in card for network in index.networks)
    assert all(f"{row['out_of_fold']:.6f}" in card for row in index.scores)


def test_a_run_from_that_folder_gives_the_same_submissions(packed, tmp_path):
    run, folder = packed
    released = ("weights=released", f'released={{"folder": "{folder}"}}')
    said = snakemake(tmp_path, config=released)
    assert not re.search(r"^train\s", said, re.MULTILINE)
    submission = "tiny/submissions/ternaus.csv.gz"
    assert (tmp_path / submission).read_bytes() == (run.parent / submission).read_bytes()
    rows = json.loads((tmp_path / "tiny/scores.json").read_text())
    before = json.loads((run / "scores.json").read_text())
    assert [row["out_of_fold"] for row in rows] == [row["out_of_fold"] for row in before]
    told = {row["name"]: row["note"] for row in rows}
    assert "ternausnet: released weights" in told["ternausnet"] and "trust" not in told["ternausnet"]


def test_one_network_of_two(packed, tmp_path):
    _, folder = packed
    released = ("weights=released", f'released={{"folder": "{folder}", "folds": {{"ternausnet": [1]}}}}')
    snakemake(tmp_path, config=released)
    rows = {(row["level"], row["name"]): row for row in json.loads((tmp_path / "tiny/scores.json").read_text())}
    for row in (("model", "ternausnet"), ("member", "ternaus")):
        assert rows[row]["images"] == 16
        assert "ternausnet: 1 of 2 networks (fold 1)" in rows[row]["note"]


def test_a_file_that_is_not_the_published_one_is_refused(packed, tmp_path):
    _, folder = packed
    copy = tmp_path / "published"
    shutil.copytree(folder, copy)
    shutil.copyfile(folder / "ternausnet/fold0.safetensors", copy / "ternausnet/fold1.safetensors")
    released = ("weights=released", f'released={{"folder": "{copy}"}}')
    said = snakemake(tmp_path, "ternaus", config=released, check=False)
    assert "is not the file that was published: its SHA-256 is" in said
    assert not (tmp_path / "tiny/models/ternausnet/fold1/weights.safetensors").exists()
