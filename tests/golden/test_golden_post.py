import zlib

import cv2
import numpy as np
import pytest

from carvana import rle
from carvana.geometry import FULL
from carvana.maps import ensemble, postprocess
from carvana.maps.merging import merge_rule
from carvana.recipe_files import load_recipe
from tests.golden.compare import UNETS, equal
from tests.golden.inputs import ensemble_case

# What the entries of ensemble.json are.
PROPERTIES = {
    "img": "image",
    "rle_crc": "mask: CRC-32 of its RLE",
    "runs": "mask: number of runs",
    "rle_head": "mask: first 120 characters of its RLE",
    "pixels": "mask: number of pixels",
    "prob_sum": "stored picture: sum of its values",
    "fixed": "unreliable top: whether the rule acts",
    "unreliable_px": "unreliable top: unsure pixels",
    "eroded_px": "unreliable top: pixels left by the erosion",
}


@pytest.mark.parametrize(
    ("model", "file", "seed", "shape"),
    [
        ("ternausnet", "ternausnet", 6, (5, 32, 48)),
        ("linknet34_fma_s44", "linknet34", 16, (30, 24, 36)),
        ("unet_scratch", "asanakoy", 27, (7, 24, 36)),
        ("unet_vgg11", "asanakoy", 27, (7, 24, 36)),
    ],
)
def test_merges(golden, RS, model, file, seed, shape):
    recipe = load_recipe(model)
    maps = RS(seed).randint(0, 256, shape).astype(np.uint8)
    equal(recipe.recipe, "maps that are merged", maps, golden(file)["merge_in"])
    sums = maps.sum(axis=0, dtype=np.uint16)
    equal(recipe.recipe, "merged map", merge_rule(recipe).merged(sums, len(maps)), golden(file)["merge_out"])


@pytest.mark.parametrize("model", UNETS)
def test_mask_of_the_unrounded_mean(golden, model):
    """The rounded mean, `merge_out`, would have more pixels of 128."""
    maps = golden("asanakoy")["merge_in"]
    mask = merge_rule(load_recipe(model)).mask(maps.sum(axis=0, dtype=np.uint16), len(maps))
    equal(model, "mask of the merged maps", mask, maps.mean(axis=0, dtype=np.float32) >= 128)


def test_rle(golden, golden_text):
    mask = golden("asanakoy")["rle_mask"]
    expected = golden_text("rle.txt")
    equal("ensemble", "run-length encoding", rle.encode_as_published(mask), expected)
    equal("ensemble", "run-length decoding", rle.decode(expected, mask.shape), rle.force_corners_off(mask))


@pytest.mark.parametrize(("before", "after", "iterations"), [("a", "b", 10), ("c", "d", 1)])
def test_erosion(golden, before, after, iterations):
    stored = golden("erode")
    equal("ensemble", "erosion", postprocess.erode_upwards(stored[before], iterations), stored[after])


def stored_picture(levels_HW):
    """The 8-bit picture that the released script stores."""
    return np.rint(levels_HW).astype(np.uint8)


@pytest.mark.parametrize("case", range(7))
def test_ensemble(golden_json, golden_offset, case):
    expected = golden_json("ensemble")[case]
    maps = ensemble_case(case, golden_offset)
    result = postprocess.apply(ensemble.mean(list(maps.values())), maps["linknet34"], FULL)
    unsure = postprocess.unsure_pixels(maps["linknet34"])
    encoded = rle.encode_as_published(result.mask)
    found: dict[str, str | int] = {
        "img": f"case{case}_01.jpg",
        "rle_crc": zlib.crc32(encoded.encode()),
        "runs": len(rle.runs(encoded)),
        "rle_head": encoded[:120],
        "pixels": int(np.diff(rle.runs(encoded)).sum()),
        "prob_sum": int(stored_picture(result.levels).sum(dtype=np.int64)),
        "fixed": result.box is not None,
        "unreliable_px": cv2.countNonZero(unsure),
        "eroded_px": cv2.countNonZero(postprocess.erode_upwards(unsure, 10)),
    }
    assert found.keys() == set(expected)
    for name, value in found.items():
        equal("ensemble", PROPERTIES[name], value, expected[name])
