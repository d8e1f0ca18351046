"""The distributions of the era's initialisation, on layers large enough for their statistics to be sharp."""

import math

import pytest
import torch
from torch import nn

from carvana.networks import linknet34, unet, vgg_unet
from carvana.networks.initialisation import initialise


def drawn(module, seed=7):
    network = nn.Sequential(module)
    initialise(network, None, torch.Generator().manual_seed(seed))
    return module


def assert_uniform(tensor, low, high):
    """Range, mean and deviation of a uniform distribution; the limits are five standard errors or more."""
    values, width = tensor.detach().double(), high - low
    assert low <= values.min() and values.max() <= high
    assert values.min() < low + width * 20 / values.numel() and values.max() > high - width * 20 / values.numel()
    error = width / math.sqrt(12 * values.numel())
    assert values.mean().item() == pytest.approx((low + high) / 2, abs=5 * error)
    assert values.std().item() == pytest.approx(width / math.sqrt(12), abs=5 * error)


def assert_normal(tensor, deviation):
    values = tensor.detach().double()
    error = deviation / math.sqrt(values.numel())
    assert values.mean().item() == pytest.approx(0, abs=5 * error)
    assert values.std().item() == pytest.approx(deviation, abs=5 * error)
    kurtosis = (values / deviation).pow(4).mean().item()
    assert kurtosis == pytest.approx(3, abs=5 * math.sqrt(96 / values.numel()))


def test_convolution_is_uniform_by_its_inputs():
    layer = drawn(nn.Conv2d(48, 256, 3))
    bound = 1 / math.sqrt(48 * 9)
    assert_uniform(layer.weight, -bound, bound)
    assert_uniform(layer.bias, -bound, bound)


def test_transposed_convolution_is_uniform_by_its_inputs_not_its_outputs():
    layer = drawn(nn.ConvTranspose2d(256, 32, 3))
    bound = 1 / math.sqrt(256 * 9)
    assert_uniform(layer.weight, -bound, bound)
    assert layer.bias.abs().max() <= bound
    assert layer.bias.abs().max() > 0.8 * bound


def test_batch_norm_begins_between_0_and_1():
    layer = drawn(nn.BatchNorm2d(4096))
    assert_uniform(layer.weight, 0, 1)
    assert not layer.bias.any()
    assert not layer.running_mean.any() and (layer.running_var == 1).all()


def test_an_encoder_begins_as_torchvision_of_2017_and_the_rest_as_pytorch_of_2017():
    network = linknet34.build(32)
    initialise(network, "resnet34", torch.Generator().manual_seed(7))
    state = network.state_dict()
    assert_normal(state["firstconv.weight"], math.sqrt(2 / (49 * 64)))
    assert_normal(state["encoder4.0.conv1.weight"], math.sqrt(2 / (9 * 512)))
    assert_normal(state["encoder2.0.downsample.0.weight"], math.sqrt(2 / 128))
    assert (state["encoder3.2.bn2.weight"] == 1).all() and not state["firstbn.bias"].any()
    bound = 1 / math.sqrt(512)
    assert_uniform(state["decoder4.conv1.weight"], -bound, bound)
    assert 0.3 < state["decoder4.norm1.weight"].mean() < 0.7


def test_vgg_encoder_begins_as_torchvision_of_2017_under_both_names():
    network = vgg_unet.build(8)
    initialise(network, "vgg11", torch.Generator().manual_seed(7))
    state = network.state_dict()
    for name in ("conv5", "encoder.18"):
        assert_normal(state[f"{name}.weight"], math.sqrt(2 / (9 * 512)))
        assert not state[f"{name}.bias"].any()
    bound = 1 / math.sqrt((8 * 8 + 512) * 9)
    assert_uniform(state["dec5.block.0.block.0.weight"], -bound, bound)


def test_the_generator_alone_decides_the_weights():
    def weights(seed, noise):
        torch.manual_seed(noise)
        network = unet.build(2)
        initialise(network, None, torch.Generator().manual_seed(seed))
        return torch.cat([parameter.detach().ravel() for parameter in network.parameters()])

    assert torch.equal(weights(1, noise=5), weights(1, noise=6))
    assert not torch.equal(weights(1, noise=5), weights(2, noise=5))


@pytest.mark.parametrize(("module", "encoder"), [(linknet34, "resnet34"), (vgg_unet, "vgg11"), (unet, None)])
def test_every_parameter_is_drawn(module, encoder):
    """Nothing keeps what it was built with: today's defaults would go unnoticed."""
    network = module.build(4)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(math.nan)
    initialise(network, encoder, torch.Generator().manual_seed(1))
    assert [name for name, parameter in network.named_parameters() if parameter.isnan().any()] == []
