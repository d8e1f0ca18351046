import pytest
import torch

from carvana.computing.forward import forward_in
from carvana.computing.precision import PRECISIONS
from carvana.networks import ternausnet

CPU = torch.device("cpu")


def convolution():
    torch.manual_seed(0)
    return torch.nn.Conv2d(3, 8, 3, padding=1)


def images():
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("precision", [known for known in PRECISIONS if known != "bf16"])
def test_other_precisions_leave_a_network_as_it_is(precision):
    torch.testing.assert_close(
        forward_in(convolution(), precision, CPU)(images()), convolution()(images()), rtol=0, atol=0
    )


def test_bfloat16_rounds_to_8_bits_and_gives_float32():
    output, exact = forward_in(convolution(), "bf16", CPU)(images()), convolution()(images())
    assert output.dtype == torch.float32
    assert 0 < (output - exact).abs().max() < 2**-6 * exact.abs().max()


def test_weights_and_gradients_stay_float32():
    network = convolution()
    forward_in(network, "bf16", CPU)(images()).square().mean().backward()
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    gradients = [parameter.grad for parameter in network.parameters()]
    assert all(gradient is not None and gradient.dtype == torch.float32 for gradient in gradients)


def test_probabilities_close_to_1_are_told_apart_in_bfloat16():
    network = ternausnet.build(32).eval()
    with torch.no_grad():
        network.get_parameter("final.weight").zero_()
        network.get_parameter("final.bias").fill_(8.0)
        probability = forward_in(network, "bf16", CPU)(images())
    torch.testing.assert_close(probability, torch.sigmoid(torch.full_like(probability, 8.0)), rtol=0, atol=1e-6)


def test_rounding_the_weights_once_changes_no_bit_of_a_prediction():
    network = torch.nn.Sequential(convolution(), torch.nn.BatchNorm2d(8), torch.nn.ReLU()).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        expected = network(images()).float()
    with torch.no_grad():
        torch.testing.assert_close(forward_in(network, "bf16", CPU)(images()), expected, rtol=0, atol=0)
