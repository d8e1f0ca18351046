import numpy as np
import pytest
import torch

from carvana.prediction.maps import probabilities, sum_of_maps
from carvana.recipe_files import load_recipe

SIZE_HW = (4, 6)


def constant(level):
    """A network whose every output is `level`."""
    return lambda x: torch.full((len(x), 1, *x.shape[2:]), float(level))


@pytest.mark.parametrize(
    ("model", "input_HW", "levels", "expected"),
    [
        # TernausNet returns probabilities; each is truncated before the sum: 0.9999 x 255 = 254.97, 0.1 x 255 = 25.5
        ("ternausnet", (4, 8), (0.9999, 0.1), 254 + 25),
        # The others return logits: 255 x sigmoid is 127.5 for 0, 12.09 for -3, 186.4 for 1, 96.27 for -0.5.
        ("linknet34_fma_s44", (4, 8), (0.0, -3.0), 127 + 12),
        ("unet_scratch", (8, 8), (0.0, 1.0), 128 + 186),
        ("unet_vgg11", (8, 8), (0.0, -0.5), 128 + 96),
    ],
)
def test_every_map_is_quantised_before_the_sum(model, input_HW, levels, expected):
    recipe = load_recipe(model)
    found = sum_of_maps([constant(level) for level in levels], torch.zeros(3, *input_HW), recipe, SIZE_HW)
    assert found.dtype == np.uint16
    assert found.shape == SIZE_HW
    assert set(found.ravel().tolist()) == {expected}


def test_sums_of_many_networks_do_not_overflow():
    recipe = load_recipe("ternausnet")
    found = sum_of_maps([constant(1)] * 257, torch.zeros(3, 4, 8), recipe, SIZE_HW)
    assert set(found.ravel().tolist()) == {257 * 255}


def test_only_linknet34_sees_the_mirror():
    images = torch.rand(1, 3, 4, 8)
    seen = []

    def network(x):
        seen.append(x)
        return x[:, :1]

    for model, size_HW in [("ternausnet", SIZE_HW), ("unet_scratch", SIZE_HW), ("unet_vgg11", SIZE_HW)]:
        probabilities(network, images, load_recipe(model), size_HW)
    assert all(torch.equal(x, images) for x in seen)
    seen.clear()
    probabilities(network, images, load_recipe("linknet34_f04a_clahe"), SIZE_HW)
    assert sorted(torch.equal(x, images) for x in seen) == [False, True]
