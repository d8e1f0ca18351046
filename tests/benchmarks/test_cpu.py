"""What is timed on a CPU: the published flow does what ours does."""

import json

import cv2
import numpy as np
import pytest

from benchmarks.cpu import published
from benchmarks.cpu.photos import maps_like
from benchmarks.cpu.rows import in_turns
from benchmarks.results import ROOT
from carvana import rle
from carvana.catalogue import RECIPES
from carvana.geometry import FULL, SMALL
from carvana.maps import ensemble, postprocess
from carvana.recipe_files import load_recipe
from carvana.transforms import albu, asanakoy
from carvana.transforms.colour import Recolouring
from carvana.transforms.spatial import ShiftScaleRotate
from tests.pages import PAGES, prose
from tests.transforms.cars import noisy_car

# The machines whose results docs/speed.md quotes, the newer one first; others' may lie beside them.
QUOTED_CPUS = ("amd-epyc-25-17-1", "amd-epyc-25-1-1")
QUOTED = {
    "training sample of LinkNet34, from the decoded image": "training sample, linknet34_fma_s44, decoded",
    "the same with CLAHE": "training sample, linknet34_f04a_clahe, decoded",
    "training sample of a U-Net, from files, in the first epoch": (
        "training sample, unet_scratch (aug 2), from files, in the first epoch"
    ),
    "the same later, when images come back resized": "training sample, unet_scratch (aug 2), from files, later",
    "four maps to mask, unreliable-top rule and RLE": "four maps to mask, rule and RLE",
    "writing a stored map (published: PNG)": "writing a map",
    "reading one": "reading a map",
    "RLE of a mask": "RLE encoding",
    "mask of an RLE": "RLE decoding",
    "Dice of two RLEs": "Dice of two RLEs",
    "a core's work for an image while a GPU predicts by TernausNet: decode, prepare, store": (
        "of it beside a GPU, ternausnet"
    ),
    "by LinkNet34 with CLAHE": "of it beside a GPU, linknet34_f04a_clahe",
    "by a U-Net": "of it beside a GPU, unet_scratch",
}
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


@pytest.mark.parametrize("label", QUOTED)
def test_the_page_says_what_a_step_costs(label):
    measured = [steps_on(cpu)[QUOTED[label]] for cpu in QUOTED_CPUS]
    times = [figure(row[side]) for row in measured for side in ("published", "ours")]
    cells = [label, *times, figure(measured[0]["target"])]
    assert f"| {' | '.join(cells)} |".replace("  ", " ") in PAGES["speed.md"]


def test_the_page_says_what_commands_cost():
    newer, older = (steps_on(cpu) for cpu in QUOTED_CPUS)
    scoring, planning = (
        [f"{on_cpu[step]['ours']:.1f}" for on_cpu in (newer, older)]
        for step in ("score of 100064 images, times decompressing both", "snakemake -n of the full reproduction")
    )
    assert (
        f"Scoring a submission takes {scoring[0]} times as long as unpacking it and the truth on the Zen 4,"
        f" and {scoring[1]} times on the Zen 3."
        f" Planning the full reproduction takes {planning[0]} and {planning[1]} seconds."
    ) in prose("speed.md")


def steps_on(cpu):
    (path,) = (ROOT / "benchmarks/results").glob(f"{cpu}-numpy-*.json")
    return {row["step"]: row for row in json.loads(path.read_text())["rows"]}


def figure(value):
    if value is None:
        return ""
    return format(value, ".0f" if value >= 10 else ".1f" if value >= 1 else ".2f")
