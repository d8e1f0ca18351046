"""The decoder block of both networks over VGG11."""

from __future__ import annotations

from torch import Tensor, nn


class UpBlock(nn.Module):
    """A 3x3 convolution with its ReLU, then a transposed convolution with ReLU that doubles the size.

    Shape: (N, inputs, H, W) -> (N, outputs, 2H, 2W). The convolution is given, since the two released networks name its
    parts differently.
    """

    def __init__(self, convolution: nn.Module, middle: int, outputs: int) -> None:
        super().__init__()
        up = nn.ConvTranspose2d(middle, outputs, 3, stride=2, padding=1, output_padding=1)
        self.block = nn.Sequential(convolution, up, nn.ReLU())

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """Features at twice the size."""
        return self.block(x_NCHW)  # type: ignore[no-any-return]
