"""LinkNet over ResNet34 (Alexander Buslaev, released script; arXiv:1707.03718). Its output is logits."""

from __future__ import annotations

from torch import Tensor, nn

from carvana.networks.regions import RegionalNetwork
from carvana.networks.resnet34_encoder import stage


class DecoderBlock(nn.Module):
    """1x1 convolution to a quarter of the channels, transposed convolution that doubles the size, 1x1 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        middle = inputs // 4
        self.conv1 = nn.Conv2d(inputs, middle, 1)
        self.norm1 = nn.BatchNorm2d(middle)
        self.relu1 = nn.ReLU(inplace=True)
        self.deconv2 = nn.ConvTranspose2d(middle, middle, 3, stride=2, padding=1, output_padding=1)
        self.norm2 = nn.BatchNorm2d(middle)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv3 = nn.Conv2d(middle, outputs, 1)
        self.norm3 = nn.BatchNorm2d(outputs)
        self.relu3 = nn.ReLU(inplace=True)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, outputs, 2H, 2W)."""
        x = self.relu1(self.norm1(self.conv1(x_NCHW)))
        x = self.relu2(self.norm2(self.deconv2(x)))
        return self.relu3(self.norm3(self.conv3(x)))  # type: ignore[no-any-return]


class LinkNet34(RegionalNetwork):
    """Shape: (N, 3, H, W) -> (N, 1, H, W) logits; H and W divisible by 32."""

    def __init__(self, num_filters: int) -> None:
        super().__init__()
        self.firstconv = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.firstbn = nn.BatchNorm2d(64)
        self.firstrelu = nn.ReLU(inplace=True)
        self.firstmaxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.encoder1 = stage(64, 64, 3, 1)
        self.encoder2 = stage(64, 128, 4, 2)
        self.encoder3 = stage(128, 256, 6, 2)
        self.encoder4 = stage(256, 512, 3, 2)
        self.decoder4 = DecoderBlock(512, 256)
        self.decoder3 = DecoderBlock(256, 128)
        self.decoder2 = DecoderBlock(128, 64)
        self.decoder1 = DecoderBlock(64, 64)
        self.finaldeconv1 = nn.ConvTranspose2d(64, num_filters, 3, stride=2)
        self.finalrelu1 = nn.ReLU(inplace=True)
        self.finalconv2 = nn.Conv2d(num_filters, num_filters, 3)
        self.finalrelu2 = nn.ReLU(inplace=True)
        self.finalconv3 = nn.Conv2d(num_filters, 1, 2, padding=1)

    def forward(self, images_N3HW: Tensor) -> Tensor:
        """Logits of car."""
        x = self.region(self._stem, images_N3HW)  # (N, 64, H/4, W/4)
        stage1 = self.region(self.encoder1, x)
        stage2 = self.region(self.encoder2, stage1)
        stage3 = self.region(self.encoder3, stage2)
        stage4 = self.region(self.encoder4, stage3)  # (N, 512, H/32, W/32)
        up = self.region(self.decoder4, stage4) + stage3
        up = self.region(self.decoder3, up) + stage2
        up = self.region(self.decoder2, up) + stage1
        up = self.region(self.decoder1, up)  # (N, 64, H/2, W/2)
        return self.region(self._head, up)

    def _stem(self, images_N3HW: Tensor) -> Tensor:
        x = self.firstrelu(self.firstbn(self.firstconv(images_N3HW)))  # (N, 64, H/2, W/2)
        return self.firstmaxpool(x)  # type: ignore[no-any-return]

    def _head(self, up_N64HW: Tensor) -> Tensor:
        up = self.finalrelu1(self.finaldeconv1(up_N64HW))  # (N, f, 2H + 1, 2W + 1)
        up = self.finalrelu2(self.finalconv2(up))  # (N, f, 2H - 1, 2W - 1)
        return self.finalconv3(up)  # type: ignore[no-any-return]


def build(num_filters: int) -> LinkNet34:
    """The network of the recipe (a head of 32 filters: 21.64 M parameters)."""
    return LinkNet34(num_filters)
