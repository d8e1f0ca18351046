"""The two command lines, as the workflow calls them."""

import csv
import os
import resource
import subprocess
import sys

import numpy as np
import pytest

from carvana.data.manifest import Manifest, read_manifest, write_manifest
from carvana.folds import write_folds
from carvana.maps.mapstore import MapReader
from carvana.store.store import Store
from tests.programs import SCRIPTS


def call(script, manifest, weights, arguments, granted=0, **options):
    common = [
        "--model",
        "linknet34_f04a_clahe",
        "--edition",
        "released",
        "--geometry",
        "small",
        "--precision",
        "exact",
        "--threads",
        "1",
    ]
    common += ["--workers", "2", "--gpus-wanted", "1", "--gpus-granted", str(granted), "--weights", *weights]
    command = [sys.executable, SCRIPTS / script, *common, "--manifest", manifest, *arguments]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


@pytest.fixture
def predict(small_manifest_file, weights, tmp_path):
    arguments = ["--shard", 1, "--shards", 2, "--out", tmp_path / "sums.h5", "--timings", tmp_path / "timings.json"]
    arguments += ["--store", tmp_path / "store"]
    return lambda *more, **options: call("predict.py", small_manifest_file, weights[:1], [*arguments, *more], **options)


def test_predict(predict, small_manifest_file, tmp_path):
    done = predict()
    assert done.returncode == 0, done.stderr
    assert "linknet34_f04a_clahe: 100%" in done.stderr
    with MapReader(tmp_path / "sums.h5") as store:
        assert store.names == read_manifest(small_manifest_file).names[16:]
        assert store.size_HW == (64, 94)
    assert {path.name for path in tmp_path.iterdir()} == {"sums.h5", "timings.json", "store"}


def test_validate(small_manifest_file, weights, tmp_path):
    first, second = read_manifest(small_manifest_file).cars
    manifest = Manifest(tuple(read_manifest(small_manifest_file))[:16])
    write_manifest(manifest, tmp_path / "manifest.csv")
    write_folds({first: 1, second: 0}, tmp_path / "folds.csv")
    outputs = ["--maps", tmp_path / "maps.h5", "--dice", tmp_path / "dice.csv", "--timings", tmp_path / "timings.json"]
    arguments = ["--folds", tmp_path / "folds.csv", "--store", tmp_path / "store", *outputs, "--quiet"]
    done = call("validate.py", tmp_path / "manifest.csv", weights, arguments)
    assert (done.returncode, done.stderr) == (0, "")
    with (tmp_path / "dice.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["fold"] for row in rows] == ["1"] * 16
    assert 0 < np.mean([float(row["dice"]) for row in rows]) < 1
    with MapReader(tmp_path / "maps.h5") as store:
        assert store.names == manifest.names


def test_a_disk_that_fills_up_fails_the_job_and_leaves_nothing(predict, tmp_path):
    """A limit on the size of files stands for the full disk."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = predict(preexec_fn=limit)
    assert done.returncode != 0
    assert "File too large" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    (entry,) = Store(tmp_path / "store").entries()
    assert not entry.complete


def test_a_gpu_that_is_not_there_is_told_before_anything_is_read(predict, tmp_path):
    done = predict(granted=1, env={**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.startswith("error: this job needs 1 GPU(s) and this machine shows 0")
    assert "--resources gpu=0" in done.stderr
