"""U-Net of six levels with batch norm (Artsiom Sanakoyeu, released script). Its output is logits."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from carvana.networks.upsampling import upsampled


class ConvBlock(nn.Module):
    """`count` times 3x3 convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, count: int) -> None:
        super().__init__()
        widths = [inputs] + [outputs] * count
        self.convs = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())
                for before, after in pairwise(widths)
            )
        )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, H, W)."""
        return self.convs(x_NCHW)  # type: ignore[no-any-return]


class Down(nn.Module):
    """Two convolutions; what they give is also this level's skip."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = ConvBlock(inputs, outputs, 2)

    def forward(self, x_NCHW: Tensor) -> tuple[Tensor, Tensor]:
        """(N, inputs, H, W) -> the skip (N, outputs, H, W), and (N, outputs, H/2, W/2)."""
        skip = self.conv(x_NCHW)
        return skip, nn.functional.max_pool2d(skip, 2)


class Up(nn.Module):
    """Bilinear doubling, concatenation with the skip, three convolutions."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = ConvBlock(inputs, outputs, 3)

    def forward(self, x_NCHW: Tensor, skip_NCHW: Tensor) -> Tensor:
        """(N, C, H/2, W/2) and (N, S, H, W) -> (N, outputs, H, W); C + S inputs, the skip's first."""
        height, width = skip_NCHW.shape[2:]
        up = upsampled(x_NCHW, (height, width))
        return self.conv(torch.cat([skip_NCHW, up], 1))  # type: ignore[no-any-return]


class UNet(nn.Module):
    """Shape: (N, 3, H, W) -> (N, 1, H, W) logits; H and W divisible by 64."""

    def __init__(self, num_filters: int) -> None:
        super().__init__()
        f = num_filters
        self.down1 = Down(3, f)
        self.down2 = Down(f, f * 2)
        self.down3 = Down(f * 2, f * 4)
        self.down4 = Down(f * 4, f * 8)
        self.down5 = Down(f * 8, f * 16)
        self.down6 = Down(f * 16, f * 32)
        self.center = ConvBlock(f * 32, f * 32, 2)
        self.up6 = Up(f * 32 + f * 32, f * 32)
        self.up5 = Up(f * 32 + f * 16, f * 16)
        self.up4 = Up(f * 16 + f * 8, f * 8)
        self.up3 = Up(f * 8 + f * 4, f * 4)
        self.up2 = Up(f * 4 + f * 2, f * 2)
        self.up1 = Up(f * 2 + f, f)
        self.final = nn.Conv2d(f, 1, 1)

    def forward(self, images_N3HW: Tensor) -> Tensor:
        """Logits of car."""
        skip1, x = self.down1(images_N3HW)
        skip2, x = self.down2(x)
        skip3, x = self.down3(x)
        skip4, x = self.down4(x)
        skip5, x = self.down5(x)
        skip6, x = self.down6(x)
        x = self.center(x)  # (N, 32f, H/64, W/64)
        x = self.up6(x, skip6)
        x = self.up5(x, skip5)
        x = self.up4(x, skip4)
        x = self.up3(x, skip3)
        x = self.up2(x, skip2)
        x = self.up1(x, skip1)  # (N, f, H, W)
        return self.final(x)  # type: ignore[no-any-return]


def build(num_filters: int) -> UNet:
    """The network of the recipe (32 filters: 91.24 M parameters)."""
    return UNet(num_filters)
