"""A training whose batch does not fit one GPU: slices of it on several, or one image after the other.

Both are for networks without batch norm, whose images do not see each other; the loss does see all of them together.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from carvana.computing.forward import Forward, forward_in
from carvana.networks.regions import RegionalNetwork


def arranged(
    network: nn.Module, precision: str, devices: Sequence[torch.device], activation_checkpointing: bool
) -> Forward:
    """The network's forward pass, computing as asked; it takes a batch and gives its output on the first device.

    Args:
        network: on the first device, where its weights stay; in training mode, unless it is only predicted with.
        precision: see `forward.forward_in`.
        devices: each takes an equal part of every batch; several only without batch norm.
        activation_checkpointing: whether activations that gradients need are computed a second time instead of kept:
            the inner ones of a network's regions, to the same bits, or, without batch norm, all of one image after the
            other, whose gradients are then summed in another order.
    """
    if isinstance(network, RegionalNetwork):
        network.recompute = activation_checkpointing
    in_images = activation_checkpointing and not isinstance(network, RegionalNetwork)
    if len(devices) == 1 and not in_images:
        return forward_in(network, precision, devices[0])
    assert not any(isinstance(module, _BatchNorm) for module in network.modules())
    if len(devices) == 1:
        return image_by_image(forward_in(network, precision, devices[0]))
    return _Replicas(network, precision, devices, in_images)


def image_by_image(forward: Forward) -> Forward:
    """The same for one image at a time; of each only the input is kept for its gradients."""

    def forward_by_image(images_N3HW: Tensor) -> Tensor:
        one_by_one = images_N3HW.chunk(len(images_N3HW))
        if not torch.is_grad_enabled():
            return torch.cat([forward(image_13HW) for image_13HW in one_by_one])
        outputs = [
            checkpoint(forward, image_13HW, use_reentrant=False, preserve_rng_state=False) for image_13HW in one_by_one
        ]
        return torch.cat(outputs)

    return forward_by_image


class _Replicas:
    """Forward passes of a network on several devices at once (data parallelism), with one graph of all of them.

    Loss and optimizer see one network and one output. Every pass copies the weights to all devices; gradients come back
    through the copies and are summed in the devices' order.
    """

    def __init__(self, network: nn.Module, precision: str, devices: Sequence[torch.device], in_images: bool) -> None:
        self._weights: Final = list(network.parameters())
        self._devices: Final = list(devices)
        self._replicas: Final = [_Replica(network, precision, device, in_images) for device in devices]

    def __call__(self, images_N3HW: Tensor) -> Tensor:
        slices = images_N3HW.chunk(len(self._devices))
        devices = self._devices[: len(slices)]
        copies = _Copies.apply(devices, *self._weights)
        count, outputs = len(self._weights), []
        for number, (replica, slice_N3HW) in enumerate(zip(self._replicas, slices, strict=False)):
            weights = copies[number * count : (number + 1) * count]
            outputs.append(replica(weights, slice_N3HW.to(devices[number], non_blocking=True)))
        return torch.cat([output_N1HW.to(devices[0], non_blocking=True) for output_N1HW in outputs])


class _Replica:
    """A network's modules on another device, without weights of their own."""

    def __init__(self, network: nn.Module, precision: str, device: torch.device, in_images: bool) -> None:
        replica = copy.deepcopy(network).to(device)
        self._replica: Final = replica
        self._places: Final = []
        for name, _ in network.named_parameters():
            module_name, _, parameter = name.rpartition(".")
            module = replica.get_submodule(module_name)
            delattr(module, parameter)
            self._places.append((module, parameter))
        forward = forward_in(replica, precision, device)
        self._forward: Final = image_by_image(forward) if in_images else forward

    def __call__(self, weights: Sequence[Tensor], images_N3HW: Tensor) -> Tensor:
        for (module, parameter), weight in zip(self._places, weights, strict=True):
            setattr(module, parameter, weight)
        return self._forward(images_N3HW)


class _Copies(torch.autograd.Function):
    """Tensors copied to several devices; the gradient is the copies' sum, in the devices' order."""

    @staticmethod
    def forward(ctx: Any, devices: Sequence[torch.device], *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.home, ctx.count = tensors[0].device, len(tensors)
        return tuple(tensor.to(device, copy=True) for device in devices for tensor in tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        by_device = [gradients[first : first + ctx.count] for first in range(0, len(gradients), ctx.count)]
        total = [gradient.to(ctx.home) for gradient in by_device[0]]
        for others in by_device[1:]:
            total = [one + other.to(ctx.home) for one, other in zip(total, others, strict=True)]
        return None, *total
