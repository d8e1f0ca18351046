import math

import pytest
import yaml

from benchmarks import sample_bands
from carvana.bands import band, read_bands, write_bands
from carvana.errors import UserError
from carvana.recipe import model_names

SCORES = [0.90, 0.92, 0.91, 0.93, 0.94]


def test_a_band_is_the_students_prediction_interval():
    made = band(SCORES)
    deviation = math.sqrt(sum((score - 0.92) ** 2 for score in SCORES) / 4)
    assert made.runs == 5
    assert made.mean == pytest.approx(0.92)
    assert made.deviation == pytest.approx(deviation)
    assert made.high - made.mean == pytest.approx(4.6041 * deviation * math.sqrt(1.2))
    assert made.mean - made.low == pytest.approx(made.high - made.mean)


def test_one_more_run_lies_in_the_band_and_a_broken_one_does_not():
    assert band(SCORES).holds(0.95)
    assert not band(SCORES).holds(0.5)


def test_a_losss_band_is_not_cut_at_1():
    assert band([0.9, 1.1, 1.0, 1.2, 0.8]).high > 1.5


def test_a_band_of_dice_stays_within_0_and_1():
    made = band([0.0, 0.5, 1.0, 0.2, 0.9], highest=1)
    assert (made.low, made.high) == (0, 1)


@pytest.mark.parametrize("runs", [0, 4, 11])
def test_too_few_or_too_many_runs_make_no_band(runs):
    with pytest.raises(ValueError, match=f"not from {runs}"):
        band([0.9] * runs)


def test_bands_come_back_from_their_file(tmp_path):
    write_bands({"model/ternausnet": band(SCORES)}, {"precision": "bf16"}, tmp_path / "bands.yaml")
    assert read_bands(tmp_path / "bands.yaml")["model/ternausnet"].low == pytest.approx(band(SCORES).low, abs=1e-4)


def test_bands_say_what_they_were_measured_with(tmp_path):
    write_bands({"model/ternausnet": band(SCORES)}, sample_bands.conditions([3, 4], "exact"), tmp_path / "bands.yaml")
    found = yaml.safe_load((tmp_path / "bands.yaml").read_text())["conditions"]
    assert found["seeds"] == [3, 4] and "torch=" in found["packages"]
    assert found["configuration"]["precision"] == "exact" and found["configuration"]["run"] == "sample"


def test_every_model_of_the_sample_has_bands_of_five_runs():
    bands = read_bands(sample_bands.BANDS)
    for model in model_names():
        for figure in (f"out_of_fold/model/{model}", f"out_of_fold/fold/{model}/0", f"training_loss/{model}"):
            assert bands[figure].runs >= 5 and bands[figure].deviation > 0
    # So that one broken model shows: what it would score without learning is outside.
    assert not any(bands[f"out_of_fold/model/{model}"].holds(0.758) for model in model_names())


@pytest.mark.parametrize("text", ["", "other: 1", "bands: [1]", "bands: {model/a: {low: 1}}", "a: b: c"])
def test_a_file_of_something_else_is_named(tmp_path, text):
    (tmp_path / "bands.yaml").write_text(text)
    with pytest.raises(UserError, match=r"bands.yaml holds no bands"):
        read_bands(tmp_path / "bands.yaml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read_bands(tmp_path / "bands.yaml")
