"""Networks, losses and learning rates against what the winners' programs computed."""

import numpy as np
import pytest
import torch

from carvana.geometry import SMALL
from carvana.losses import albu as albu_loss
from carvana.losses import asanakoy as asanakoy_loss
from carvana.losses import ternaus as ternaus_loss
from carvana.recipe import AlbuLoss, load_recipe
from carvana.training import parts
from tests.golden.inputs import ellipse_mask, parameter

# The model by whose recipe the network is built, and the golden files' name for it.
NETWORKS = {
    "ternausnet": "ternausnet",
    "linknet34_fma_s44": "linknet34",
    "unet_scratch": "unet_scratch",
    "unet_vgg11": "unet_vgg11",
}
FORWARD_TOLERANCE = 1e-4  # of the largest absolute output
LOSS_TOLERANCE = 1e-5  # gradients: of the largest absolute gradient


def network(model):
    network = parts.network(load_recipe(model))
    for name, tensor in network.state_dict().items():
        tensor.copy_(torch.from_numpy(parameter(name, tuple(tensor.shape))))
    return network


def float32(array):
    return torch.from_numpy(np.asarray(array, dtype=np.float32))


def assert_close_to_largest(found, expected, tolerance):
    assert found.shape == expected.shape
    assert np.abs(found.detach().numpy() - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize("model", NETWORKS)
def test_state_dict(model, golden_json):
    with torch.device("meta"):
        state = parts.network(load_recipe(model)).state_dict()
    assert [[name, list(tensor.shape)] for name, tensor in state.items()] == golden_json(
        f"state_dict_{NETWORKS[model]}"
    )


@torch.no_grad()
def test_ternausnet_forward(golden, RS):
    images = float32(RS(1).randn(2, 3, 64, 96))
    found = network("ternausnet").eval()(images)
    assert_close_to_largest(found, golden("ternausnet")["forward_out"], FORWARD_TOLERANCE)


@torch.no_grad()
def test_linknet34_forward(golden, RS):
    images = float32(RS(11).rand(2, 3, 64, 96))
    linknet = network("linknet34_fma_s44")
    assert_close_to_largest(linknet.eval()(images), golden("linknet34")["forward_eval"], FORWARD_TOLERANCE)
    assert_close_to_largest(linknet.train()(images), golden("linknet34")["forward_train"], FORWARD_TOLERANCE)


@pytest.mark.parametrize("model", ["unet_scratch", "unet_vgg11"])
@torch.no_grad()
def test_unet_forward(model, golden, RS):
    images = float32(RS(21).rand(2, 3, 64, 128))
    unet = network(model)
    assert_close_to_largest(unet.eval()(images), golden("asanakoy")[f"{model}_forward_eval"], FORWARD_TOLERANCE)
    assert_close_to_largest(unet.train()(images), golden("asanakoy")[f"{model}_forward_train"], FORWARD_TOLERANCE)


def test_ternaus_loss(golden, RS):
    state = RS(2)
    probabilities = float32(state.rand(4, 1, 16, 24)).requires_grad_()
    masks = float32(state.rand(4, 1, 16, 24) > 0.6)
    objective = parts.objective(load_recipe("ternausnet"), SMALL)
    loss = objective.terms(probabilities, masks)["loss"]
    loss.backward()
    expected = golden("ternausnet")
    assert isinstance(objective, ternaus_loss.Objective)
    assert loss.item() == pytest.approx(expected["loss"].item(), abs=LOSS_TOLERANCE)
    assert_close_to_largest(probabilities.grad, expected["loss_grad"], LOSS_TOLERANCE)
    dice = objective.measures(probabilities, masks)["dice"]
    assert dice.item() == pytest.approx(expected["dice"].item(), abs=LOSS_TOLERANCE)


def test_albu_loss(golden, RS):
    state = RS(12)
    logits = float32(2 * state.randn(3, 1, 16, 24)).requires_grad_()
    masks = float32(state.rand(3, 1, 16, 24) > 0.6)
    spec = load_recipe("linknet34_fma_s44").loss
    assert isinstance(spec, AlbuLoss)
    objective = albu_loss.Objective(spec, border=0)
    loss = objective.terms(logits, masks)["loss"]
    loss.backward()
    expected = golden("linknet34")
    assert loss.item() == pytest.approx(expected["loss"].item(), abs=LOSS_TOLERANCE)
    assert_close_to_largest(logits.grad, expected["loss_grad"], LOSS_TOLERANCE)
    measures = objective.measures(logits, masks)
    for name in ("soft_dice", "hard_dice"):
        assert measures[name].item() == pytest.approx(expected[name].item(), abs=LOSS_TOLERANCE)


def test_asanakoy_loss(golden, RS):
    logits = float32(2 * RS(22).randn(2, 1, 128, 128)).requires_grad_()
    ellipses = [ellipse_mask(128, 128, 0.5, 0.45), ellipse_mask(128, 128, 0.4, 0.6, 0.2, 0.3)]
    masks = float32(np.stack(ellipses)[:, None])
    objective = parts.objective(load_recipe("unet_scratch"), SMALL)
    terms = objective.terms(logits, masks)
    terms["loss"].backward()
    expected = golden("asanakoy")
    assert isinstance(objective, asanakoy_loss.Objective)
    found = [terms[name].item() for name in ("loss", "bce", "dice_loss")]
    assert found == pytest.approx(expected["loss"].tolist(), abs=LOSS_TOLERANCE)
    assert_close_to_largest(logits.grad, expected["loss_grad"], LOSS_TOLERANCE)
    dice = objective.measures(logits, masks)["dice"]
    assert dice.item() == pytest.approx(expected["dice_score"].item(), abs=LOSS_TOLERANCE)


@pytest.mark.parametrize(
    ("model", "file", "key"),
    [
        ("ternausnet", "ternausnet", "lr"),
        ("linknet34_fma_s44", "linknet34", "lr"),
        ("unet_scratch", "asanakoy", "lr_scratch"),
        ("unet_vgg11", "asanakoy", "lr_vgg"),
    ],
)
def test_learning_rates(model, file, key, golden):
    recipe = load_recipe(model)
    first = recipe.training.first_epoch
    found = [parts.learning_rate(recipe, epoch) for epoch in range(first, first + recipe.training.epochs)]
    assert found == golden(file)[key].tolist()
