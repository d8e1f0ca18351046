"""Random weights as the libraries of 2017 began, whatever today's defaults are.

PyTorch 0.2: convolutions uniform in +-1/sqrt(inputs x kernel area), weight and bias; transposed convolutions the same
with their number of input channels (later releases use the outputs'); batch norm's weight uniform in [0, 1), bias 0.
torchvision of 2017, for the encoders: convolutions normal with variance 2 / (outputs x kernel area), bias 0; batch
norm's weight 1. An encoder is the part that ImageNet weights would replace.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

from carvana.recipe import Encoder

# Where a network's encoder lies, by the prefix of its module names.
ENCODER_PREFIXES: Final[dict[Encoder, tuple[str, ...]]] = {
    "vgg11": ("encoder.",),
    "resnet34": ("firstconv", "firstbn", "encoder1.", "encoder2.", "encoder3.", "encoder4."),
}


def _uniform(tensor: Tensor, low: float, high: float, generator: torch.Generator) -> None:
    tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)


def _as_pytorch_of_2017(module: nn.Module, generator: torch.Generator) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        bound = 1 / math.sqrt(module.in_channels * math.prod(module.kernel_size))
        _uniform(module.weight, -bound, bound, generator)
        if module.bias is not None:
            _uniform(module.bias, -bound, bound, generator)
    elif isinstance(module, nn.BatchNorm2d):
        _uniform(module.weight, 0, 1, generator)
        module.bias.zero_()


def _as_torchvision_of_2017(module: nn.Module, generator: torch.Generator) -> None:
    if isinstance(module, nn.Conv2d):
        deviation = math.sqrt(2 / (module.out_channels * math.prod(module.kernel_size)))
        module.weight.copy_(torch.randn(module.weight.shape, generator=generator) * deviation)
        if module.bias is not None:
            module.bias.zero_()
    elif isinstance(module, nn.BatchNorm2d):
        module.weight.fill_(1)
        module.bias.zero_()


@torch.no_grad()
def initialise(network: nn.Module, encoder: Encoder | None, generator: torch.Generator) -> None:
    """Draw every weight of the network, on the CPU, in the order of its modules.

    Args:
        network: as built; its batch norms' running statistics stay 0 and 1.
        encoder: which part is an encoder; None: none.
        generator: a CPU generator; its state alone decides the weights.
    """
    prefixes = ENCODER_PREFIXES[encoder] if encoder else ()
    for name, module in network.named_modules():
        if name.startswith(prefixes):
            _as_torchvision_of_2017(module, generator)
        else:
            _as_pytorch_of_2017(module, generator)
