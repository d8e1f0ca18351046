"""A batch as it is loaded, and as the network and the loss take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from carvana.transforms.inputs import network_input, target


@dataclass(frozen=True)
class Batch:
    """Images with their masks, as the network and the loss take them.

    Attributes:
        names: the images' names.
        images_N3HW: floating.
        masks_N1HW: the same type, 0..1; in validation its (H, W) may be the image's and not the network's.
    """

    names: tuple[str, ...]
    images_N3HW: Tensor
    masks_N1HW: Tensor

    def to(self, device: torch.device) -> Self:
        """The batch on `device`; itself if it is there."""
        images_N3HW = self.images_N3HW.to(device, non_blocking=True)
        return type(self)(self.names, images_N3HW, self.masks_N1HW.to(device, non_blocking=True))


@dataclass(frozen=True)
class Uint8Batch:
    """A batch as it is loaded, and travels to the device.

    Attributes:
        names: the images' names.
        images_NHWC: uint8.
        masks_NHW: uint8, 255 for car.
    """

    names: tuple[str, ...]
    images_NHWC: Tensor
    masks_NHW: Tensor

    def pin_memory(self) -> Self:
        """The batch in page-locked memory, so that the program need not wait for its copy; DataLoader calls this."""
        return type(self)(self.names, self.images_NHWC.pin_memory(), self.masks_NHW.pin_memory())

    def on(self, device: torch.device, normalised: bool) -> Batch:
        """The batch as the network takes it, on the device."""
        images_NHWC = self.images_NHWC.to(device, non_blocking=True)
        masks_NHW = self.masks_NHW.to(device, non_blocking=True)
        return Batch(self.names, network_input(images_NHWC, normalised), target(masks_NHW))
