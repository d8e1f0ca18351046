import numpy as np
import pytest
import torch

from carvana.networks.building import build_network
from carvana.prediction.maps import probabilities
from carvana.prediction.restore import at_image_size, to_8_bits
from carvana.recipe_files import load_recipe
from tests.golden.compare import close_to_largest, equal, nearly_equal_8_bits
from tests.golden.inputs import parameter


def network_with_formula_weights(recipe):
    network = build_network(recipe)
    entries = network.state_dict()
    network.load_state_dict(
        {name: torch.from_numpy(parameter(name, tuple(entry.shape))) for name, entry in entries.items()}
    )
    return network.eval()


def test_linknet34_probabilities_with_the_mirror(golden, RS):
    recipe = load_recipe("linknet34_fma_s44")
    images = torch.from_numpy(RS(11).rand(2, 3, 64, 96).astype(np.float32))
    with torch.inference_mode():
        found = probabilities(network_with_formula_weights(recipe), images, recipe, (64, 96)).numpy()
    expected = golden("linknet34")["tta_probs"]
    close_to_largest("linknet34", "probabilities with the mirror", found, expected, 1e-4)


@pytest.mark.parametrize("model", ["unet_scratch", "unet_vgg11"])
def test_unet_stored_maps(golden, RS, model):
    """The golden network has made one pass in training mode before, which moved unet_scratch's running statistics."""
    recipe = load_recipe(model)
    images = torch.from_numpy(RS(21).rand(2, 3, 64, 128).astype(np.float32))
    network = network_with_formula_weights(recipe)
    with torch.inference_mode():
        network.train()(images)
        found = probabilities(network.eval(), images, recipe, (80, 119))
    stored = to_8_bits(found, recipe.prediction.to_8_bits).numpy()
    nearly_equal_8_bits(model, "stored 8-bit map", stored, golden("asanakoy")[f"{model}_upsampled_probs_u8"])


def test_ternausnet_stored_map(golden):
    recipe = load_recipe("ternausnet")
    padded = torch.from_numpy(golden("ternausnet")["quant_in"])
    expected = golden("ternausnet")["quant_out"]
    found = at_image_size(padded, recipe.input.border, expected.shape[-2:])
    stored = to_8_bits(found, recipe.prediction.to_8_bits).numpy()
    equal("ternausnet", "stored 8-bit map", stored[:, 0], expected)
