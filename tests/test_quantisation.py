import numpy as np
import pytest

from carvana import quantisation

PROBABILITIES = [0.0, 0.5, 0.9999, 1.0, 100.5 / 255, 101.5 / 255]


@pytest.mark.parametrize(
    ("quantise", "expected"),
    [
        (quantisation.truncated, [0, 127, 254, 255, 100, 101]),
        (quantisation.rounded, [0, 128, 255, 255, 100, 102]),
    ],
)
def test_known_values(quantise, expected):
    quantised = quantise(np.array(PROBABILITIES, np.float32).reshape(2, 3))
    assert quantised.dtype == np.uint8
    np.testing.assert_array_equal(quantised, np.reshape(expected, (2, 3)))
