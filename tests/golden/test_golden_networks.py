"""Networks, losses and learning rates against what the winners' programs computed."""

import numpy as np
import pytest
import torch

from carvana.geometry import SMALL
from carvana.losses import albu as albu_loss
from carvana.losses import asanakoy as asanakoy_loss
from carvana.losses import ternaus as ternaus_loss
from carvana.networks.building import build_network
from carvana.recipe import AlbuLoss
from carvana.recipe_files import load_recipe
from carvana.training import parts
from tests.golden.compare import UNETS, close, close_to_largest, equal
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
EVALUATION, TRAINING = "forward pass, evaluation mode", "forward pass, training mode"


def network(model):
    network = build_network(load_recipe(model))
    for name, tensor in network.state_dict().items():
        tensor.copy_(torch.from_numpy(parameter(name, tuple(tensor.shape))))
    return network


def float32(array):
    return torch.from_numpy(np.asarray(array, dtype=np.float32))


@pytest.mark.parametrize("model", NETWORKS)
def test_state_dict(model, golden_json):
    with torch.device("meta"):
        state = build_network(load_recipe(model)).state_dict()
    found = [f"{name} {list(tensor.shape)}" for name, tensor in state.items()]
    expected = [f"{name} {shape}" for name, shape in golden_json(f"state_dict_{NETWORKS[model]}")]
    equal(NETWORKS[model], "state dict: names and shapes, in order", found, expected)


@torch.no_grad()
def test_ternausnet_forward(golden, RS):
    images = float32(RS(1).randn(2, 3, 64, 96))
    found = network("ternausnet").eval()(images)
    close_to_largest("ternausnet", EVALUATION, found, golden("ternausnet")["forward_out"], FORWARD_TOLERANCE)


@torch.no_grad()
def test_linknet34_forward(golden, RS):
    images = float32(RS(11).rand(2, 3, 64, 96))
    linknet, expected = network("linknet34_fma_s44"), golden("linknet34")
    close_to_largest("linknet34", EVALUATION, linknet.eval()(images), expected["forward_eval"], FORWARD_TOLERANCE)
    close_to_largest("linknet34", TRAINING, linknet.train()(images), expected["forward_train"], FORWARD_TOLERANCE)


@pytest.mark.parametrize("model", ["unet_scratch", "unet_vgg11"])
@torch.no_grad()
def test_unet_forward(model, golden, RS):
    images = float32(RS(21).rand(2, 3, 64, 128))
    unet, expected = network(model), golden("asanakoy")
    close_to_largest(model, EVALUATION, unet.eval()(images), expected[f"{model}_forward_eval"], FORWARD_TOLERANCE)
    # In float64: the deepest batch norm sees 4 values a channel and amplifies float32's rounding, on a CPU without
    # AVX-512 to 8.6e-5 of the largest output; the golden values' own rounding is another 5.2e-5.
    found = unet.double().train()(images.double())
    close_to_largest(model, TRAINING, found, expected[f"{model}_forward_train"], FORWARD_TOLERANCE)


def test_ternaus_loss(golden, RS):
    state = RS(2)
    probabilities = float32(state.rand(4, 1, 16, 24)).requires_grad_()
    masks = float32(state.rand(4, 1, 16, 24) > 0.6)
    objective = parts.objective(load_recipe("ternausnet"), SMALL)
    loss = objective.terms(probabilities, masks)["loss"]
    loss.backward()
    expected = golden("ternausnet")
    assert isinstance(objective, ternaus_loss.Objective)
    close("ternausnet", "loss", loss.item(), expected["loss"], LOSS_TOLERANCE)
    close_to_largest("ternausnet", "gradient of the loss", probabilities.grad, expected["loss_grad"], LOSS_TOLERANCE)
    dice = objective.measures(probabilities, masks)["dice"]
    close("ternausnet", "reported dice", dice.item(), expected["dice"], LOSS_TOLERANCE)


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
    close("linknet34", "loss", loss.item(), expected["loss"], LOSS_TOLERANCE)
    close_to_largest("linknet34", "gradient of the loss", logits.grad, expected["loss_grad"], LOSS_TOLERANCE)
    measures = objective.measures(logits, masks)
    for name in ("soft_dice", "hard_dice"):
        close("linknet34", "reported dices", measures[name].item(), expected[name], LOSS_TOLERANCE)


def test_asanakoy_loss(golden, RS):
    logits = float32(2 * RS(22).randn(2, 1, 128, 128)).requires_grad_()
    ellipses = [ellipse_mask(128, 128, 0.5, 0.45), ellipse_mask(128, 128, 0.4, 0.6, 0.2, 0.3)]
    masks = float32(np.stack(ellipses)[:, None])
    objective = parts.objective(load_recipe("unet_scratch"), SMALL)
    terms = objective.terms(logits, masks)
    terms["loss"].backward()
    expected = golden("asanakoy")
    assert isinstance(objective, asanakoy_loss.Objective)
    assert load_recipe("unet_vgg11").loss == objective.spec
    found = [terms[name].item() for name in ("loss", "bce", "dice_loss")]
    close(UNETS, "loss and its two terms", found, expected["loss"], LOSS_TOLERANCE)
    close_to_largest(UNETS, "gradient of the loss", logits.grad, expected["loss_grad"], LOSS_TOLERANCE)
    dice = objective.measures(logits, masks)["dice"]
    close(UNETS, "reported dice", dice.item(), expected["dice_score"], LOSS_TOLERANCE)


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
    equal(recipe.recipe, "learning rate of every epoch", found, golden(file)[key])
