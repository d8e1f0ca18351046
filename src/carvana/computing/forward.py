"""A network's forward pass, computing in the precision that the configuration names."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

# From images (N, 3, H, W) float32 to a network's output (N, 1, H, W) float32. Weights and mode are the network's.
Forward = Callable[[Tensor], Tensor]


def forward_in(network: nn.Module, precision: str, device: torch.device) -> Forward:
    """The network's forward pass in a precision; it takes and returns float32 in any.

    Args:
        network: on `device`; in evaluation mode, `bf16` converts its convolutions to bfloat16 in place.
        precision: one of `precision.PRECISIONS`; `runtime.configure` has been called with the same.
        device: the CPU or a GPU.
    """
    if precision != "bf16":
        return network
    if not network.training:
        # Autocast would round the same weights anew for every image.
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                module.to(torch.bfloat16)

    def forward_in_bfloat16(images_N3HW: Tensor) -> Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            output_N1HW: Tensor = network(images_N3HW)
        return output_N1HW.float()

    return forward_in_bfloat16
