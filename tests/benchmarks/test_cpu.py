"""What is timed on a CPU: the published flow does what ours does."""

import json

import cv2
import numpy as np
import pytest

from benchmarks.cpu import published
from benchmarks.cpu.photos import maps_like
from benchmarks.cpu.prediction import MODELS as PREDICTED
from benchmarks.cpu.rows import in_turns
from benchmarks.results import ROOT
from carvana import rle
from carvana.catalogue import RECIPES
from carvana.geometry import FULL, SMALL
from carvana.maps import ensemble, postprocess
from carvana.recipe import load_recipe
from carvana.transforms import albu, asanakoy
from carvana.transforms.colour import Recolouring
from carvana.transforms.spatial import ShiftScaleRotate
from tests.transforms.cars import noisy_car

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
    maps = {recipe: maps_like(car_HW, number) for number, recipe in enumerate(RECIPES)}
    if unsure:
        maps["linknet34"][300:600, 500:1200] = 100
    result = postprocess.apply(ensemble.mean(list(maps.values())), maps["linknet34"], FULL)
    assert (result.box is not None) == unsure
    encoded = published.final_rle(maps)
    assert encoded == rle.encode_as_published(result.mask)
    np.testing.assert_array_equal(published.decoded(encoded, FULL.image_size), rle.decode(encoded, FULL.image_size))


def test_works_are_timed_in_turns_after_a_round_that_does_not_count():
    done = []
    times = in_turns(3, lambda n: done.append(("a", n)), lambda n: done.append(("b", n)))
    assert done == [(work, n) for n in (-1, 0, 1, 2) for work in "ab"]
    assert [len(found) for found in times] == [3, 3]


def test_the_readme_says_what_full_size_images_cost():
    (path,) = (ROOT / "benchmarks/results").glob(f"{FULL_SIZE_CPU}-numpy-*.json")
    rows = {row["step"]: row for row in json.loads(path.read_text())["rows"]}

    def both(step: str, form: str = ".0f") -> tuple[str, str]:
        return format(rows[step]["ours"], form), format(rows[step]["published"] or 0, form)

    linknet34 = both("training sample, linknet34_fma_s44, decoded")
    unet = both("training sample, unet_scratch (aug 2), from files, later")
    mask = both("four maps to mask, rule and RLE")
    writing, reading = both("writing a map", ".1f"), both("reading a map", ".1f")
    beside = [both(f"of it beside a GPU, {model}")[0] for model in PREDICTED]
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
