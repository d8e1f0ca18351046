"""A teacher's table is made in the same pass as the maps, and says the same as they do."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from carvana import rle
from carvana.errors import UserError
from carvana.maps.mapstore import MapReader
from carvana.prediction.predict import predict
from carvana.prediction.teach import teach
from carvana.pseudo_labels.candidates import read_candidates
from carvana.pseudo_labels.uncertainty import uncertainty_of
from tests.prediction.test_scripts import call

UNCLEAR = (26, 229)


@pytest.fixture
def one(conditions, weights):
    """A teacher of one network, fold 1's."""
    return replace(conditions, weights=weights[1:], folds=(1,))


def test_masks_and_doubts_are_those_of_its_maps(one, manifest, tmp_path):
    teach(one, manifest, UNCLEAR, tmp_path / "candidates.csv", tmp_path / "timings.json")
    predict(one, manifest, tmp_path / "sums.h5", tmp_path / "more.json")
    candidates = list(read_candidates(tmp_path / "candidates.csv"))
    with MapReader(tmp_path / "sums.h5") as store:
        assert tuple(candidate.img for candidate in candidates) == store.names
        for candidate, (_, map_HW) in zip(candidates, store, strict=True):
            mask_HW = rle.decode(candidate.rle_mask, store.size_HW)
            assert np.array_equal(mask_HW, map_HW >= 128)
            assert candidate.uncertainty == uncertainty_of(map_HW, mask_HW, UNCLEAR)
    assert any(candidate.uncertainty.outline for candidate in candidates)
    assert json.loads((tmp_path / "timings.json").read_text())["networks"] == 1


def test_a_network_is_taken_for_no_other_fold(one, manifest, tmp_path):
    wrong = replace(one, folds=(0,))
    with pytest.raises(UserError, match="holds the weights of fold 1, expected fold 0"):
        teach(wrong, manifest, UNCLEAR, tmp_path / "candidates.csv", tmp_path / "timings.json")
    assert list(tmp_path.iterdir()) == []


def test_the_script(small_manifest_file, weights, tmp_path):
    arguments = ["--shard", 0, "--shards", 2, "--unclear", *UNCLEAR, "--networks", 1, "--store", tmp_path / "store"]
    arguments += ["--out", tmp_path / "candidates.csv", "--timings", tmp_path / "timings.json", "--quiet"]
    done = call("teach.py", small_manifest_file, weights[1:], arguments)
    assert (done.returncode, done.stderr) == (0, "")
    with (tmp_path / "candidates.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 16
    done = call("teach.py", small_manifest_file, weights, arguments)
    assert done.returncode == 1
    assert "2 files of weights for the folds 1: give one file per fold" in done.stderr
