"""All tensors of a recipe meet on one device: gone through on a GPU that is only pretended.

PyTorch's fake tensors have a device and a shape, and no values. An operation on tensors of two devices fails as it does
on a GPU, so that a forgotten `.to(device)` is found without one. The backward pass is beyond them: it asks the driver.
"""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from carvana.catalogue import RECIPES, models_of
from carvana.computing.runtime import configure
from carvana.geometry import SMALL
from carvana.networks.building import build_network
from carvana.networks.upsampling import as_on_gpu
from carvana.prediction.maps import sum_on_device
from carvana.recipe_files import load_recipe
from carvana.training import parts
from carvana.training.slices import arranged
from carvana.transforms import inputs
from tests.operations import Operations

PRETENDED = torch.device("cuda:0")
MODELS = [models_of(recipe)[0] for recipe in RECIPES]


@pytest.fixture
def pretended(monkeypatch):
    """Fake tensors; the tables of pixel levels are not kept, which real ones would meet later."""
    monkeypatch.setattr(inputs, "_table", inputs._table.__wrapped__)
    with FakeTensorMode(allow_non_fake_inputs=False) as mode:
        yield mode


def placed_network(recipe):
    """Built there, since fake weights cannot move."""
    with PRETENDED:
        return build_network(recipe)


def prepared(recipe):
    size_HW = SMALL.network_size(recipe.input.size)
    return torch.zeros(2, *size_HW, 3, dtype=torch.uint8), torch.zeros(2, *size_HW, dtype=torch.uint8)


@pytest.mark.parametrize("model", MODELS)
def test_the_loss_and_the_measures_are_computed_where_the_network_is(model, pretended):
    recipe = load_recipe(model)
    forward = arranged(placed_network(recipe).train(), "exact", [PRETENDED], False)
    images_NHWC, masks_NHW = (pixels.to(PRETENDED) for pixels in prepared(recipe))
    images_N3HW = inputs.network_input(images_NHWC, normalised=True)
    target_N1HW = inputs.target(masks_NHW)
    objective = parts.objective(recipe, SMALL)
    output_N1HW = forward(images_N3HW)
    figures = objective.terms(output_N1HW, target_N1HW) | objective.measures(output_N1HW, target_N1HW)
    assert {name: tensor.device for name, tensor in figures.items()} == dict.fromkeys(figures, PRETENDED)


@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("model", MODELS)
def test_what_is_bfloat16_on_a_cpu_is_so_on_a_gpu(model, gradients, pretended, monkeypatch):
    """Autocast has another list for a GPU; memory is counted, and a precision's price is measured, on a CPU."""
    monkeypatch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    configure(1, "bf16")
    recipe = load_recipe(model)

    def types_on(device):
        with device:
            forward = arranged(build_network(recipe).train(), "bf16", [device], False)
        images_N3HW = inputs.network_input(prepared(recipe)[0].to(device), normalised=True)
        with Operations() as found, as_on_gpu(), torch.set_grad_enabled(gradients):
            forward(images_N3HW)
        return found.activations

    on_gpu = types_on(PRETENDED)
    assert on_gpu.count(torch.bfloat16) > 20
    assert on_gpu == types_on(torch.device("cpu"))


@pytest.mark.parametrize("model", MODELS)
def test_maps_are_summed_where_the_networks_are(model, pretended):
    recipe = load_recipe(model)
    networks = [placed_network(recipe).eval() for _ in range(2)]
    images_NHWC, _ = prepared(recipe)
    image_3HW = inputs.network_input(images_NHWC.to(PRETENDED), normalised=True)[0]
    total_HW = sum_on_device(networks, image_3HW, recipe, SMALL.image_size)
    assert (total_HW.device, total_HW.shape) == (PRETENDED, SMALL.image_size)


def test_what_is_left_on_the_cpu_is_found(pretended):
    recipe = load_recipe(MODELS[0])
    network = placed_network(recipe)
    images_NHWC, _ = prepared(recipe)
    with pytest.raises(RuntimeError, match="device"):
        network(inputs.network_input(images_NHWC, normalised=True))
