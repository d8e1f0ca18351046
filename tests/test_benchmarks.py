"""The benchmarks: the published flow does what ours does, and what is measured can be measured."""

import json
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from benchmarks import cpu, gpu, growth, precision, published, training_precision
from benchmarks.cost import cost_of
from benchmarks.results import ROOT
from benchmarks.traffic import Traffic, bytes_of_training
from carvana import rle
from carvana.catalogue import RECIPES
from carvana.data.imageset import ImageSet
from carvana.data.intake import take_in
from carvana.data.manifest import read_manifest
from carvana.data.synthetic.dataset import write_competition
from carvana.errors import UserError
from carvana.geometry import FULL, SMALL
from carvana.maps import ensemble, postprocess
from carvana.photo import trained_run
from carvana.recipe import load_recipe
from carvana.submission.mask_table import read_masks
from carvana.transforms import albu, asanakoy
from carvana.transforms.colour import Recolouring
from carvana.transforms.spatial import ShiftScaleRotate
from tests.transforms.cars import noisy_car

# Whose results the README quotes of precisions, and of full-size images; other machines' may lie beside them.
README_CPU = "amd-epyc-26-2-1"
FULL_SIZE_CPU = "amd-epyc-25-17-1"
WARP = ShiftScaleRotate(-3, 1.07, 0, 0)


@pytest.fixture(scope="module")
def car():
    return noisy_car(SMALL.image_size)


@pytest.mark.parametrize("model", ["linknet34_fma_s44", "linknet34_f04a_clahe"])
def test_the_published_linknet34_sample_is_ours(car, model):
    recipe = load_recipe(model)
    draw = albu.Draw(True, WARP, 1.08, None)
    image_HWC, mask_HW = car
    x_CHW, target_1HW = published.linknet34_sample(image_HWC, mask_HW, draw, recipe.input.clahe is not None)
    transforms = albu.build(recipe, SMALL)
    image_HWC, mask_HW = transforms.train(transforms.prepare(image_HWC, mask_HW), draw)
    np.testing.assert_array_equal(np.rint(x_CHW * 255), np.moveaxis(image_HWC, 2, 0))
    np.testing.assert_array_equal(np.rint(target_1HW * 255), mask_HW[None])


def test_the_published_unet_sample_is_ours(car, tmp_path):
    image_HWC, mask_HW = car
    cv2.imwrite(str(tmp_path / "image.png"), image_HWC)
    cv2.imwrite(str(tmp_path / "mask.png"), mask_HW)
    draw = asanakoy.Draw(True, WARP, Recolouring(1.2, 0.8, 1.1, False))
    x_CHW, target_1HW = published.unet_sample(tmp_path / "image.png", tmp_path / "mask.png", draw, SMALL.unet_size)
    transforms = asanakoy.build(load_recipe("unet_scratch"), SMALL)
    ours_HWC, ours_HW = transforms.train(transforms.prepare(image_HWC, mask_HW), draw)
    # Sums in another order: a level that is cut off at a whole number may fall to the one below.
    differences = np.abs(np.rint(x_CHW * 255) - np.moveaxis(ours_HWC, 2, 0))
    assert differences.max() <= 1 and differences.mean() < 1e-3
    np.testing.assert_array_equal(target_1HW * 255, ours_HW[None])


@pytest.mark.parametrize("unsure", [False, True])
def test_the_published_rle_is_ours(unsure):
    car_HW = np.zeros(FULL.image_size, np.uint8)
    cv2.ellipse(car_HW, (900, 600), (600, 350), 0, 0, 360, 1, -1)
    maps = {recipe: cpu.maps_like(car_HW, number) for number, recipe in enumerate(RECIPES)}
    if unsure:
        maps["linknet34"][300:600, 500:1200] = 100
    result = postprocess.apply(ensemble.mean(list(maps.values())), maps["linknet34"], FULL)
    assert (result.box is not None) == unsure
    encoded = published.final_rle(maps)
    assert encoded == rle.encode_as_published(result.mask)
    np.testing.assert_array_equal(published.decoded(encoded, FULL.image_size), rle.decode(encoded, FULL.image_size))


def test_works_are_timed_in_turns_after_a_round_that_does_not_count():
    done = []
    times = cpu.in_turns(3, lambda n: done.append(("a", n)), lambda n: done.append(("b", n)))
    assert done == [(work, n) for n in (-1, 0, 1, 2) for work in "ab"]
    assert [len(found) for found in times] == [3, 3]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    write_competition(folder / "drawn", 1, 2, 1, SMALL.image_size, archives=False)
    images = take_in(folder / "drawn", "train", SMALL, folder / "work", quiet=True)
    return gpu.Place(torch.device("cpu"), SMALL, 0.01, 1, images, folder)


@pytest.mark.slow
def test_everything_that_is_asked_of_a_gpu_can_be_measured(place):
    recipe = load_recipe(gpu.MODELS["linknet34"])
    rates = gpu.device_rates(place)
    assert min(rates.values()) > 0
    row = gpu.measured(recipe, place, "exact", gpu.Way())
    gpu.with_shares(row, rates, recipe, place, 1.0)
    for kind in ("training", "training_loaded", "prediction", "prediction_from_files"):
        assert row[kind] > 0
    assert row["training_share_of_matrix_rate"] == pytest.approx(3 * row["training"] / rates["exact_tflops"] / 1000)
    # Five networks, and mirror images.
    of_prediction = 10 * row["prediction"] / rates["exact_tflops"] / 1000
    assert row["prediction_share_of_matrix_rate"] == pytest.approx(of_prediction)
    moved = bytes_of_training(recipe, SMALL, "exact", checkpointing=False) / 1e9 * row["training"]
    assert row["training_share_of_bandwidth"] == pytest.approx(moved / rates["bandwidth_gb_per_s"])
    assert row["prediction_from_files_share"] == pytest.approx(row["prediction_from_files"] / row["prediction"])
    autotuned = gpu.measured(recipe, place, "exact", gpu.Way("channels_last", autotune=True))
    assert "training_loaded" not in autotuned and autotuned["autotune"]
    twice = gpu.measured(recipe, place, "exact", gpu.Way(checkpointing=True))
    assert twice["training"] > 0 and "prediction" not in twice
    assert 0 < twice["training_gib_counted"] < row["training_gib_counted"]
    trained = gpu.really_trained(recipe.model, place, 0)
    assert trained["epochs"] == 1 and trained["images"] == 16


def test_hours_are_images_by_images_per_second():
    rates = {"training_loaded": 2.0, "prediction": 10.0, "prediction_from_files": 8.0}
    plain = {"precision": "exact"} | gpu.Way()._asdict() | rates
    rows: list[dict[str, Any]] = [{"recipe": recipe} | plain for recipe in RECIPES]
    hours = gpu.whole_hours(rows, "exact")
    # Models: a rate of prediction is that of all their networks.
    assert hours["prediction"] == pytest.approx(9 * 100_064 / 8 / 3600)
    # Networks, epochs, share of the images that train; LinkNet34 sees a tenth of its batches twice, and its rate of
    # prediction is that of images with their mirror images.
    counted = [(5, 52, 0.8, 1, 50), (30, 40, 0.8, 1.1, 100), (7, 250, 6 / 7, 1, 70), (7, 60, 6 / 7, 1, 70)]
    seconds = sum(n * epochs * 5088 * (part * more / 2 + (1 - part) / own) for n, epochs, part, more, own in counted)
    assert hours["training"] == pytest.approx(seconds / 3600)


def test_each_precision_is_measured_by_default_and_autotuned_where_it_may_be_chosen():
    ways = {precision: gpu.ways_of(load_recipe("ternausnet"), precision) for precision in ("exact", "tf32", "bf16")}
    assert all(found[0] == gpu.Way() for found in ways.values())
    assert [way for way in ways["exact"] if way.checkpointing] == [gpu.Way(checkpointing=True)]
    assert [way.layout for found in ways.values() for way in found if way.autotune] == ["contiguous", "channels_last"]


def test_hours_of_everything_are_not_told_where_something_was_not_measured():
    rates = {"training_loaded": 2.0, "prediction": 10.0, "prediction_from_files": 8.0}
    plain = {"precision": "exact"} | gpu.Way()._asdict() | rates
    rows: list[dict[str, Any]] = [{"recipe": recipe} | plain for recipe in RECIPES]
    assert gpu.whole_hours(rows, "bf16") == gpu.whole_hours(rows[1:], "exact")
    rows[0] |= {"training": None, "training_loaded": None}
    found = gpu.whole_hours(rows, "exact")
    assert found["training"] is None and found["prediction"] == pytest.approx(9 * 100_064 / 8 / 3600)


@pytest.mark.slow
def test_what_fails_on_a_gpu_is_told_and_the_rest_measured(place, monkeypatch):
    def full(*given: object) -> dict[str, float]:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(gpu, "training_rates", full)
    row = gpu.measured(load_recipe(gpu.MODELS["linknet34"]), place, "exact", gpu.Way("channels_last"))
    assert row["training"] is None and row["training_error"] == "CUDA out of memory"
    assert row["prediction"] > 0


def test_a_cost_is_the_commands_own_and_a_failure_is_told():
    one, two = (cost_of([sys.executable, "-c", f"x = bytearray({size})"]) for size in (1, 200_000_000))
    # This process has several hundred megabytes, which the kernel must not count.
    assert one.megabytes < 60
    assert two.megabytes - one.megabytes == pytest.approx(200, abs=10)
    assert two.jobs == 1 and two.seconds > 0
    with pytest.raises(UserError, match=r"ended with 3:\nno such thing"):
        cost_of([sys.executable, "-c", "print('no such thing'); raise SystemExit(3)"])


def test_copies_are_the_runs_cars_round_and_round(manifest):
    copies = growth.Copies(manifest, 6, 16)
    assert list(copies.names)[:3] == [f"000000000010_{view:02}.jpg" for view in (1, 2, 3)]
    assert list(copies.names) == sorted(copies.names) and len(copies.names) == 18
    assert copies.names["000000000014_02.jpg"] == manifest.names[1]
    assert copies.by_source[manifest.names[1]] == ["000000000010_02.jpg", "000000000014_02.jpg"]
    assert [name for names in copies.shards(4) for name in names] == list(copies.names)


def test_nothing_grew_faster_than_the_images_and_the_readme_says_what_was_measured():
    (result,) = (ROOT / "benchmarks/results").glob("growth-*.json")
    costs: dict[str, dict[float, Any]] = {}
    for row in json.loads(result.read_text())["rows"]:
        costs.setdefault(row["stage"], {})[row["share"]] = row
    readme = (ROOT / "README.md").read_text()
    for stage, of_share in costs.items():
        assert tuple(of_share) == growth.SHARES
        cells = [f"{row['seconds']:.1f} s, {row['megabytes']:.0f} MB" for row in of_share.values()]
        assert f"| {stage} | {' | '.join(cells)} |" in readme
        for less, more in pairwise(growth.SHARES):
            for figure in ("seconds", "megabytes"):
                assert of_share[more][figure] <= 10 * of_share[less][figure]


@pytest.mark.sample
def test_every_stage_of_a_finished_run_can_grow():
    done = subprocess.run(["make", "report"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    # Pictures are linked, so on one disk.
    with tempfile.TemporaryDirectory(dir=ROOT / "results") as folder:
        enlarged = growth.Enlarged(ROOT / "results/sample", 0.001, 2, Path(folder))
        costs = dict(enlarged.stages())
        assert list(costs) == ["manifests", "folds", "planning", "merging", "submission", "scoring", "report"]
        assert costs["merging"].jobs == 2 * 5
        assert (enlarged.results / "report.html").stat().st_size > 100_000


def test_the_readme_says_what_full_size_images_cost():
    (path,) = (ROOT / "benchmarks/results").glob(f"{FULL_SIZE_CPU}-numpy-*.json")
    rows = {row["step"]: row for row in json.loads(path.read_text())["rows"]}

    def both(step: str, form: str = ".0f") -> tuple[str, str]:
        return format(rows[step]["ours"], form), format(rows[step]["published"] or 0, form)

    linknet34 = both("training sample, linknet34_fma_s44, decoded")
    unet = both("training sample, unet_scratch (aug 2), from files, later")
    mask = both("four maps to mask, rule and RLE")
    writing, reading = both("writing a map", ".1f"), both("reading a map", ".1f")
    beside = [both(f"of it beside a GPU, {model}")[0] for model in cpu.MODELS]
    scoring = rows["score of 100064 images, times decompressing both"]["ours"]
    text = " ".join((ROOT / "README.md").read_text().split())
    assert f"a training sample of LinkNet34 takes {linknet34[0]} ms (the published flow: {linknet34[1]})" in text
    assert f"of a U-Net, files included, {unet[0]} ({unet[1]}) from the second epoch on" in text
    assert f"four maps to a line of RLE {mask[0]} ms ({mask[1]})" in text
    assert (
        f"a stored map {writing[0]} ms to write and {reading[0]} to read (PNG: {writing[1]} and {reading[1]})" in text
    )
    assert f"in {beside[0]} ms (TernausNet), {beside[1]} (LinkNet34 with CLAHE) or {beside[2]} (a U-Net)." in text
    assert f"Scoring a submission takes {scoring:.1f} times as long as unpacking it and the truth." in text


def test_changed_pixels_and_dice_of_a_precision(manifest):
    images = ImageSet(manifest)
    name = manifest.names[0]
    mask_HW = images.mask(name)
    other_HW = mask_HW.copy()
    other_HW[:2, :3] ^= 1
    exact, other = ({name: rle.runs_of_mask(mask)} for mask in (mask_HW, other_HW))
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


def test_the_readme_says_what_a_precision_changed():
    result = json.loads((ROOT / f"benchmarks/results/precision-{README_CPU}-small-bf16.json").read_text())
    ensemble_row, text = result["rows"]["ensemble"], " ".join((ROOT / "README.md").read_text().split())
    assert f"--images {result['conditions']['images']}" in text
    assert f"{ensemble_row['pixels_changed']:.1f} of 6,016 pixels" in text
    assert f"from {ensemble_row['exact']:.5f} to {ensemble_row['other']:.5f}" in text


def test_the_readme_says_what_training_in_a_precision_changed():
    result = json.loads((ROOT / f"benchmarks/results/training-precision-{README_CPU}-bf16.json").read_text())
    text = " ".join((ROOT / "README.md").read_text().split())
    assert f"--seeds {' '.join(map(str, result['conditions']['seeds']))}`" in text
    lost = []
    for model, row in result["rows"].items():
        pairs = training_precision.Pairs(**row)
        mean, low, high = pairs.difference()
        assert f"{mean:+.4f} ({low:+.4f} to {high:+.4f}) where seeds scatter by {pairs.spread():.4f}" in text
        lost += [model] if high < 0 else []
    assert lost == ["linknet34_fma_s44"]
    assert "(a LinkNet34: a small loss, but a real one)" in text


def test_traffic_counts_what_is_read_and_written_and_no_views():
    one, other = torch.zeros(1000), torch.zeros(1000)
    with Traffic() as traffic:
        one + other
        assert traffic.total == 3 * 4000
        view = one.view(10, 100).T
    assert view.shape == (100, 10)
    assert traffic.total == 3 * 4000
