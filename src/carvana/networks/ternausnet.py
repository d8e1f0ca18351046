"""TernausNet: a U-Net over VGG11 (Vladimir Iglovikov, released script; arXiv:1801.05746). It gives probabilities."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from carvana.networks.up_block import UpBlock
from carvana.networks.vgg11_encoder import VGG11Encoder


class ConvReLU(nn.Module):
    """3x3 convolution and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W)."""
        return self.activation(self.conv(x_NCHW))  # type: ignore[no-any-return]


class TernausNet(VGG11Encoder):
    """Shape: (N, 3, H, W) -> (N, 1, H, W) probabilities in [0, 1]; H and W divisible by 32."""

    def __init__(self, num_filters: int) -> None:
        super().__init__()
        f = num_filters
        self.center = UpBlock(ConvReLU(512, f * 16), f * 16, f * 8)
        self.dec5 = UpBlock(ConvReLU(f * 8 + 512, f * 16), f * 16, f * 8)
        self.dec4 = UpBlock(ConvReLU(f * 8 + 512, f * 16), f * 16, f * 4)
        self.dec3 = UpBlock(ConvReLU(f * 4 + 256, f * 8), f * 8, f * 2)
        self.dec2 = UpBlock(ConvReLU(f * 2 + 128, f * 4), f * 4, f)
        self.dec1 = ConvReLU(f + 64, f)
        self.final = nn.Conv2d(f, 1, 1)

    def forward(self, images_N3HW: Tensor) -> Tensor:
        """Probabilities of car; the decoder's channels come first in every concatenation, the skip's second."""
        level1, level2, level3, level4, level5 = self.levels(images_N3HW)
        up = self.center(nn.functional.max_pool2d(level5, 2))  # (N, 8f, H/16, W/16)
        up = self.dec5(torch.cat([up, level5], 1))  # (N, 8f, H/8, W/8)
        up = self.dec4(torch.cat([up, level4], 1))  # (N, 4f, H/4, W/4)
        up = self.dec3(torch.cat([up, level3], 1))  # (N, 2f, H/2, W/2)
        up = self.dec2(torch.cat([up, level2], 1))  # (N, f, H, W)
        up = self.dec1(torch.cat([up, level1], 1))
        # In bfloat16 a probability above 0.998 would be 1.
        return torch.sigmoid(self.final(up).to(images_N3HW.dtype))


def build(num_filters: int) -> TernausNet:
    """The network of the recipe (32 filters: 22.93 M parameters)."""
    return TernausNet(num_filters)
