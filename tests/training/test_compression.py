"""Images come back from their packing as they were, or not at all."""

import numpy as np
import pytest

from carvana.geometry import FULL
from carvana.training.compression import compress, decompress
from tests.transforms.cars import noisy_car


@pytest.mark.parametrize("shape", [(1, 1, 4), (64, 94, 4), (31, 7, 3), (1024, 1024, 4)])
def test_comes_back(shape):
    rng = np.random.default_rng(0)
    for image_HWC in (rng.integers(0, 256, shape, np.uint8), np.zeros(shape, np.uint8)):
        found_HWC = decompress(compress(image_HWC), shape)
        np.testing.assert_array_equal(found_HWC, image_HWC)
        assert found_HWC.dtype == np.uint8
        assert found_HWC.flags.c_contiguous


def test_is_smaller():
    image_HWC, _ = noisy_car(FULL.image_size)
    assert len(compress(np.full_like(image_HWC, 7))) < image_HWC.size / 1000


def test_same_image_same_bytes():
    image_HWC = np.random.default_rng(1).integers(0, 4, (40, 60, 4), np.uint8)
    assert compress(image_HWC) == compress(image_HWC.copy())


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_changed_bit_is_noticed(place):
    compressed = bytearray(compress(np.random.default_rng(2).integers(0, 4, (40, 60, 4), np.uint8)))
    compressed[place] ^= 1
    with pytest.raises(ValueError, match="damaged"):
        decompress(bytes(compressed), (40, 60, 4))


def test_a_missing_end_is_noticed():
    compressed = compress(np.random.default_rng(2).integers(0, 4, (40, 60, 4), np.uint8))
    for length in (0, 1, 4, 5, 8, len(compressed) - 1):
        with pytest.raises(ValueError, match="damaged"):
            decompress(compressed[:length], (40, 60, 4))
