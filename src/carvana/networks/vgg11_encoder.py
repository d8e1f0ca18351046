"""The convolutions of VGG11 (no batch norm) as an encoder: five levels, each of which a decoder may use."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

# Output channels of the convolutions; M is a 2x2 max-pooling (Simonyan and Zisserman, configuration A).
LAYERS: Final = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")


def vgg11_layers() -> nn.Sequential:
    """The layers with the indices that torchvision's `vgg11().features` gives them: 3 channels in, 512 out."""
    layers: list[nn.Module] = []
    channels = 3
    for layer in LAYERS:
        if isinstance(layer, int):
            layers += [nn.Conv2d(channels, layer, 3, padding=1), nn.ReLU()]
            channels = layer
        else:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


class VGG11Encoder(nn.Module):
    """Base of the networks over VGG11. Its state dict names every tensor twice: `encoder.N` and `conv1` ... `conv5`."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = vgg11_layers()
        self.conv1 = self.encoder[0]
        self.conv2 = self.encoder[3]
        self.conv3s = self.encoder[6]
        self.conv3 = self.encoder[8]
        self.conv4s = self.encoder[11]
        self.conv4 = self.encoder[13]
        self.conv5s = self.encoder[16]
        self.conv5 = self.encoder[18]

    def levels(self, images_N3HW: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Features at 1, 1/2, 1/4, 1/8 and 1/16 of the input's size: 64, 128, 256, 512 and 512 channels.

        Args:
            images_N3HW: height and width divisible by 16.
        """
        pool = nn.functional.max_pool2d
        level1 = torch.relu(self.conv1(images_N3HW))
        level2 = torch.relu(self.conv2(pool(level1, 2)))
        level3 = torch.relu(self.conv3(torch.relu(self.conv3s(pool(level2, 2)))))
        level4 = torch.relu(self.conv4(torch.relu(self.conv4s(pool(level3, 2)))))
        level5 = torch.relu(self.conv5(torch.relu(self.conv5s(pool(level4, 2)))))
        return level1, level2, level3, level4, level5
