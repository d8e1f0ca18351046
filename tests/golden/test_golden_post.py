import zlib

import cv2
import numpy as np
import pytest

from carvana import ensemble, postprocess, quantisation, rle
from carvana.geometry import FULL
from tests.golden.inputs import ensemble_case


def test_ternausnet_quantisation(golden):
    stored = golden("ternausnet")
    border = 1
    quantised = quantisation.truncated(stored["quant_in"][:, 0, :, border:-border])
    np.testing.assert_array_equal(quantised, stored["quant_out"])


@pytest.mark.parametrize(
    ("file", "seed", "shape", "merge"),
    [
        ("ternausnet", 6, (5, 32, 48), ensemble.merge_truncated),
        ("linknet34", 16, (30, 24, 36), ensemble.merge_truncated),
        ("asanakoy", 27, (7, 24, 36), ensemble.merge_rounded),
    ],
)
def test_merges(golden, RS, file, seed, shape, merge):
    maps = RS(seed).randint(0, 256, shape).astype(np.uint8)
    np.testing.assert_array_equal(maps, golden(file)["merge_in"])
    sums = maps.sum(axis=0, dtype=np.uint16)
    np.testing.assert_array_equal(merge(sums, len(maps)), golden(file)["merge_out"])


def test_rle(golden, golden_text):
    mask = golden("asanakoy")["rle_mask"]
    expected = golden_text("rle.txt")
    assert rle.encode_as_published(mask) == expected
    np.testing.assert_array_equal(rle.decode(expected, mask.shape), rle.force_corners_off(mask))


@pytest.mark.parametrize(("before", "after", "iterations"), [("a", "b", 10), ("c", "d", 1)])
def test_erosion(golden, before, after, iterations):
    stored = golden("erode")
    np.testing.assert_array_equal(postprocess.erode_upwards(stored[before], iterations), stored[after])


@pytest.mark.parametrize("case", range(7))
def test_ensemble(golden_json, golden_offset, case):
    expected = golden_json("ensemble")[case]
    maps = ensemble_case(case, golden_offset)
    result = postprocess.apply(ensemble.mean(list(maps.values())), maps["linknet34"], FULL)
    unsure = postprocess.unsure_pixels(maps["linknet34"])
    encoded = rle.encode_as_published(result.mask)
    found = {
        "img": f"case{case}_01.jpg",
        "rle_crc": zlib.crc32(encoded.encode()),
        "runs": len(rle.runs(encoded)),
        "rle_head": encoded[:120],
        "pixels": rle.area(encoded),
        "prob_sum": int(result.picture.sum(dtype=np.int64)),
        "fixed": result.box is not None,
        "unreliable_px": cv2.countNonZero(unsure),
        "eroded_px": cv2.countNonZero(postprocess.erode_upwards(unsure, 10)),
    }
    assert found == expected
