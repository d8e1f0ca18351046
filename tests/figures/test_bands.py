import math

import numpy as np
import pytest
import yaml

from benchmarks import sample_bands
from carvana.errors import UserError
from carvana.figures.bands import Spread, band, pooled, read_bands, student_quantile, write_bands
from carvana.figures.of_run import bands_of
from carvana.recipe_files import model_names

SCORES = [0.90, 0.92, 0.91, 0.93, 0.94]


def made(values=SCORES, figures=1, highest=math.inf):
    return band(values, pooled([values]), figures, highest)


@pytest.mark.parametrize(
    ("probability", "freedom", "quantile"),
    # Of printed tables.
    [(0.995, 1, 63.657), (0.995, 4, 4.6041), (0.975, 9, 2.2622), (0.9995, 8, 5.0413), (0.95, 120, 1.6577)],
)
def test_students_quantiles(probability, freedom, quantile):
    assert student_quantile(probability, freedom) == pytest.approx(quantile, rel=1e-4)


def test_a_band_is_the_students_prediction_interval():
    one = made()
    deviation = math.sqrt(sum((score - 0.92) ** 2 for score in SCORES) / 4)
    assert one.mean == pytest.approx(0.92)
    assert one.deviation == pytest.approx(deviation) and one.freedom == 4
    assert one.high - one.mean == pytest.approx(4.6041 * deviation * math.sqrt(1.2), rel=1e-4)
    assert one.mean - one.low == pytest.approx(one.high - one.mean)


def test_figures_of_one_kind_share_their_spread():
    spread = pooled([[0.9, 0.8], [0.5, 0.5, 0.2]])
    assert spread.freedom == 3
    assert spread.deviation == pytest.approx(math.sqrt((0.005 + 0.06) / 3))


def test_all_figures_of_a_run_lie_in_their_bands_in_99_of_100_runs():
    draw, figures, runs, trials = np.random.default_rng(0), 20, 5, 2000
    outside = 0
    for _ in range(trials):
        values = draw.normal(0.5, 0.01, (figures, runs + 1))
        spread = pooled(values[:, :runs])
        outside += not all(band(row[:runs], spread, figures).holds(row[runs]) for row in values)
    # Of 2,000 trials with a chance of 1 % each, more than 35 or fewer than 7 are outside once in 1,000 times.
    assert 7 <= outside <= 35


def test_one_more_run_lies_in_the_band_and_a_broken_one_does_not():
    assert made().holds(0.95)
    assert not made(figures=45).holds(0.5)


def test_a_losss_band_is_not_cut_at_1():
    assert made([0.9, 1.1, 1.0, 1.2, 0.8]).high > 1.5


def test_a_band_of_dice_stays_within_0_and_1():
    one = made([0.0, 0.5, 1.0, 0.2, 0.9], highest=1)
    assert (one.low, one.high) == (0, 1)


@pytest.mark.parametrize("runs", [0, 1, 4])
def test_too_few_runs_make_no_band(runs):
    with pytest.raises(ValueError, match=f"not from {runs}"):
        band([0.9] * runs, Spread(0.1, 4), 1)


def test_bands_come_back_from_their_file(tmp_path):
    write_bands({"model/ternausnet": made()}, {"precision": "bf16"}, tmp_path / "bands.yaml")
    found = read_bands(tmp_path / "bands.yaml")["model/ternausnet"]
    assert found.low == pytest.approx(made().low, abs=1e-4) and found.values == tuple(SCORES)


def test_bands_say_what_they_were_measured_with(tmp_path):
    write_bands({"model/ternausnet": made()}, sample_bands.conditions([3, 4], "exact"), tmp_path / "bands.yaml")
    found = yaml.safe_load((tmp_path / "bands.yaml").read_text())["conditions"]
    assert found["seeds"] == [3, 4] and "torch=" in found["packages"]
    assert found["configuration"]["precision"] == "exact" and found["configuration"]["run"] == "sample"


def test_every_model_of_the_sample_has_bands_of_five_runs():
    bands = read_bands(sample_bands.BANDS)
    for model in model_names():
        for figure in (f"out_of_fold/model/{model}", f"out_of_fold/fold/{model}/0", f"training_loss/{model}"):
            assert len(bands[figure].values) >= 5 and bands[figure].deviation > 0
    # So that one broken model shows: what it would score without learning is outside.
    assert not any(bands[f"out_of_fold/model/{model}"].holds(0.758) for model in model_names())


def test_the_samples_bands_are_made_of_its_runs():
    bands = read_bands(sample_bands.BANDS)
    runs = [{figure: one.values[run] for figure, one in bands.items()} for run in range(5)]
    for figure, one in bands_of(runs).items():
        assert one.low == pytest.approx(bands[figure].low, abs=5e-4)
        assert one.high == pytest.approx(bands[figure].high, abs=5e-4)


@pytest.mark.parametrize("text", ["", "other: 1", "bands: [1]", "bands: {model/a: {low: 1}}", "a: b: c"])
def test_a_file_of_something_else_is_named(tmp_path, text):
    (tmp_path / "bands.yaml").write_text(text)
    with pytest.raises(UserError, match=r"bands.yaml cannot be read .*; `make bands`"):
        read_bands(tmp_path / "bands.yaml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read_bands(tmp_path / "bands.yaml")
