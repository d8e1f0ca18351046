"""What was measured counts only where it finished under the same conditions."""

import json
from types import MappingProxyType

import pytest

from carvana.planning.forecast import jobs_of
from carvana.planning.speeds import measured
from carvana.store.store import Store
from tests.planning.plans import plan

CONDITIONS = {"device": "cpu", "geometry": "full", "precision": "exact"}
EPOCH = {"train_seconds": 9.0, "valid_seconds": 1.0, "train_images": 3, "valid_images": 1}


def timed(store, finished=True, epoch=MappingProxyType(EPOCH), **changes):
    facts = {"step": "train", "model": "unet_scratch", **CONDITIONS, **changes}
    entry = store.entry(facts)
    (entry.folder / "result").mkdir(parents=True)
    (entry.folder / "facts.json").write_text(json.dumps(facts))
    (entry.folder / "result" / "timings.json").write_text(json.dumps({"gpus": 0, "epochs": [dict(epoch)]}))
    if finished:
        entry.finish()


def test_what_was_computed_otherwise_or_is_not_done_does_not_count(tmp_path):
    store = Store(tmp_path)
    for changes in ({"device": "cuda"}, {"geometry": "small"}, {"precision": "bf16"}):
        timed(store, **changes)
    timed(store, finished=False)
    assert measured(store.entries(), CONDITIONS, plan()) == {}
    timed(store, fold=1)
    assert list(measured(store.entries(), CONDITIONS, plan())) == [("train", "unet_scratch")]


@pytest.mark.parametrize(("weights", "trainings"), [("trained", 5), ("released", 0)])
def test_imported_networks_are_no_trainings(weights, trainings):
    (jobs,) = jobs_of(plan(weights=weights), ["ternausnet"], {})
    assert jobs.trainings == trainings


def test_of_several_speeds_the_median_counts(tmp_path):
    store = Store(tmp_path)
    for fold, seconds in enumerate((1.0, 9.0, 90.0)):
        timed(store, fold=fold, epoch={**EPOCH, "train_seconds": seconds, "valid_seconds": 0.0})
    timed(other := Store(tmp_path / "other"), epoch={**EPOCH, "valid_seconds": 0.0})
    assert measured(store.entries(), CONDITIONS, plan()) == measured(other.entries(), CONDITIONS, plan())


def test_a_second_round_costs_its_pseudo_labels_and_its_teachers():
    def pair(**changes):
        return jobs_of(plan(edition="presented", **changes), ["ternausnet", "ternausnet_pseudo"], {})

    first, second = pair()
    # 1.25 cars for each of 318, trained on in every epoch beside four of five of these; each fold's network teaches.
    replayed = 5088 * (3 * 4 / 5 + 1 / 5)
    assert second.training_hours / first.training_hours == pytest.approx(1 + 3 * 398 * 16 / replayed)
    assert second.prediction_hours / first.prediction_hours == pytest.approx(1 + 5 * 100_064 / (5 * 100_064 + 5088))
    _, by_ensemble = pair(pseudo_labels={"teacher": "ensemble"})
    assert by_ensemble.prediction_hours == first.prediction_hours
