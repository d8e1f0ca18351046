import numpy as np
import pytest
import torch

from carvana.prediction.restore import at_image_size, to_8_bits


def numbered_columns(height, width):
    return torch.arange(width, dtype=torch.float32).repeat(2, 1, height, 1)


@pytest.mark.parametrize(
    ("border", "first_column"),
    [("reflect_both_sides", 1), ("zeros_right", 0)],
)
def test_a_border_is_removed_where_it_was_added(border, first_column):
    found = at_image_size(numbered_columns(4, 12), border, (4, 10))
    assert found.shape == (2, 1, 4, 10)
    assert found[0, 0, 0].tolist() == list(range(first_column, first_column + 10))


def test_a_resized_image_gets_its_size_back_with_aligned_corners():
    found = at_image_size(numbered_columns(4, 4), "none", (7, 10))
    assert found.shape == (2, 1, 7, 10)
    np.testing.assert_allclose(found[0, 0, 3], np.linspace(0, 3, 10), atol=1e-6)


def test_truncating_and_rounding_to_8_bits():
    probabilities = torch.tensor([0.0, 0.9 / 255, 126.5 / 255, 127.5 / 255, 254.9 / 255, 1.0])
    assert to_8_bits(probabilities, "truncate").tolist() == [0, 0, 126, 127, 254, 255]
    assert to_8_bits(probabilities, "round").tolist() == [0, 1, 126, 128, 255, 255]
    assert to_8_bits(probabilities, "round").dtype == torch.uint8
