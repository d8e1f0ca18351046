"""The proof that pseudo-labels help where cars are few: how it divides and shuffles, and what it found."""

import json

import pytest

from benchmarks import pseudo_labels as benchmark
from carvana.data.manifest import Manifest
from tests.pages import prose

COUNTS = {"train": 4, "test": 10, "unseen": 6}


def test_no_car_has_two_roles_and_another_seed_draws_others():
    cars = [f"{number:012x}" for number in range(sum(COUNTS.values()))]
    one, other = (benchmark.cars_by_role(cars, COUNTS, seed) for seed in (1, 2))
    assert sorted(car for found in one.values() for car in found) == cars
    assert {role: len(found) for role, found in one.items()} == COUNTS
    assert one["train"] != other["train"]


def test_no_image_keeps_its_own_mask_when_they_are_shuffled(manifest):
    given = Manifest(manifest.records)
    found = benchmark.shuffled(given, seed=3)
    assert found.names == given.names
    assert sorted(record.mask for record in found) == sorted(record.mask for record in given)
    assert not any(one.mask == other.mask for one, other in zip(found, given, strict=True))


def test_the_interval_is_students():
    # Five paired differences of mean 0.02 and deviation 0.01, each of two folds.
    one = [[value - 0.005, value + 0.005] for value in (0.91, 0.92, 0.92, 0.92, 0.93)]
    found = benchmark.difference(one, [[0.9, 0.9]] * 5)
    assert found["mean"] == pytest.approx(0.02)
    half = 2.776445 * 0.0070710678 / 5**0.5
    assert (found["low"], found["high"]) == pytest.approx((0.02 - half, 0.02 + half))


def test_only_folds_that_both_rounds_have_are_compared():
    found = benchmark.difference([[0.5, 0.6]] * 5, [[0.6, 0.7, 0.1, 0.1]] * 5)
    assert found == pytest.approx({"mean": -0.1, "low": -0.1, "high": -0.1})


def test_what_was_found_under_other_conditions_counts_no_more(tmp_path):
    path = tmp_path / "found.json"
    assert benchmark.read_runs(path, {"epochs": 1}) == []
    path.write_text(json.dumps({"conditions": {"epochs": 1}, "runs": [{"seed": 1}]}))
    assert benchmark.read_runs(path, {"epochs": 1}) == [{"seed": 1}]
    assert benchmark.read_runs(path, {"epochs": 2}) == []


def test_the_second_round_gains_beyond_doubt_wrong_labels_lose_and_the_page_says_so():
    runs = json.loads(benchmark.RESULT.read_text())["runs"]
    # The last five seeds were drawn to confirm what the first five had left open.
    assert [run["seed"] for run in runs] == list(range(11, 21))
    text = prose("editions.md")
    for those in (runs, runs[5:]):
        test = benchmark.differences(those)["test"]
        assert test["second - first"]["low"] > 0
        # Shuffled labels fail what the right ones pass.
        assert test["shuffled - first"]["high"] < 0
        for pair in ("second - first", "shuffled - first"):
            assert interval(test[pair]) in text
    found = benchmark.differences(runs)
    assert interval(found["test"]["shuffled - second"]) in text
    assert interval(found["unseen"]["second - first"]) in text


def interval(found):
    return f"{found['mean']:+.3f} ({found['low']:+.3f} to {found['high']:+.3f})"
