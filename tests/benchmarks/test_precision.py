"""What a precision changes in predictions and in trainings."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import precision, training_precision
from benchmarks.results import ROOT
from carvana import rle
from carvana.data.imageset import ImageSet
from carvana.data.manifest import read_manifest
from carvana.geometry import SMALL
from carvana.mask_runs import runs_of_mask
from carvana.submission.mask_table import read_masks
from carvana.trained_run import trained_run
from tests.pages import prose

# Whose results docs/speed.md quotes; other machines' may lie beside them.
QUOTED_CPU = "amd-epyc-26-2-1"


def test_changed_pixels_and_dice_of_a_precision(manifest):
    images = ImageSet(manifest)
    name = manifest.names[0]
    mask_HW = images.mask(name)
    other_HW = mask_HW.copy()
    other_HW[:2, :3] ^= 1
    exact, other = ({name: runs_of_mask(mask)} for mask in (mask_HW, other_HW))
    found = precision.compared(exact, other, images, SMALL)
    assert found["exact"] == 1
    assert found["largest_change_of_an_image"] == 1 - found["other"] > 0
    assert found["pixels_changed"] == found["most_pixels_changed"] == 6


@pytest.mark.sample
def test_both_precisions_predict_what_the_sample_was_scored_with():
    results = Path("results/sample")
    run = trained_run(results)
    truth = ImageSet(read_manifest(results / "data/train.csv"))
    name = truth.manifest.names[0]
    masks = {one: precision.predicted(run, results, [name], "cpu", one).masks for one in ("exact", "bf16")}
    table = dict(read_masks(results / "masks/ensemble/train.csv"))
    np.testing.assert_array_equal(masks[run.precision]["ensemble"][name], rle.runs(table[name]))
    changed = precision.compared(masks["exact"]["ensemble"], masks["bf16"]["ensemble"], truth, SMALL)
    assert changed["largest_change_of_an_image"] < 0.01


def test_a_networks_dice_is_that_of_the_epoch_whose_weights_were_kept():
    epochs = [("1", "0.2", "1"), ("2", "0.4", "1"), ("3", "0.6", "0")]
    history = [dict(zip(("epoch", "valid_hard_dice", "selected"), epoch, strict=True)) for epoch in epochs]
    assert training_precision.selected_dice(history) == 0.4


def test_pairs_are_compared_seed_by_seed():
    # Seeds scatter by far more than the precision changes: 0.001 +- 0.001.
    pairs = training_precision.Pairs([0.8, 0.9, 0.85], [0.8, 0.902, 0.851])
    half = 4.302653 * 0.001 / 3**0.5
    assert pairs.difference() == pytest.approx((0.001, 0.001 - half, 0.001 + half))
    assert pairs.spread() == pytest.approx(0.05)


def test_the_page_says_what_a_precision_changed():
    result = json.loads((ROOT / f"benchmarks/results/precision-{QUOTED_CPU}-small-bf16.json").read_text())
    ensemble_row, text = result["rows"]["ensemble"], prose("speed.md")
    assert f"--images {result['conditions']['images']}" in text
    assert f"{ensemble_row['pixels_changed']:.1f} of 6,016 pixels" in text
    assert f"from {ensemble_row['exact']:.5f} to {ensemble_row['other']:.5f}" in text


def test_the_page_says_what_training_in_a_precision_changed():
    result = json.loads((ROOT / f"benchmarks/results/training-precision-{QUOTED_CPU}-bf16.json").read_text())
    text = prose("speed.md")
    assert f"--seeds {' '.join(map(str, result['conditions']['seeds']))}`" in text
    for model, row in result["rows"].items():
        pairs = training_precision.Pairs(**row)
        mean, low, high = pairs.difference()
        verdict = "a small loss, but a real one" if high < 0 else r"(no change seen|too few pairs to tell)"
        figures = re.escape(f"| `{model}` | {mean:+.4f} ({low:+.4f} to {high:+.4f}) | {pairs.spread():.4f} | ")
        assert re.search(figures + verdict, text), model
