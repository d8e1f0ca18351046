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


def test_the_product_is_formed_in_float32():
    exact = np.arange(1, 255)
    probabilities = (exact / 255).astype(np.float32)
    below = probabilities.astype(np.float64) * 255 < exact
    assert below.any()
    np.testing.assert_array_equal(quantisation.truncated(probabilities)[below], exact[below])
