"""Decoded images and masks, by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from carvana.arrays import ByteMask, Image
from carvana.mask_runs import Runs, mask_of_runs, runs_of_mask


class PixelSource(Protocol):
    """Decoded images and masks by name, as `ImageSet` has them."""

    def image(self, name: str) -> Image:
        """image_HWC, uint8, blue, green, red."""

    def mask(self, name: str) -> ByteMask:
        """mask_HW, uint8, 0 or 1."""


@dataclass(frozen=True)
class CachedPixels:
    """Pixels that stay in memory once decoded: for small images only."""

    source: PixelSource
    images: dict[str, Image] = field(default_factory=dict)
    masks: dict[str, ByteMask] = field(default_factory=dict)

    def image(self, name: str) -> Image:
        """As the source's; callers do not write to it."""
        if name not in self.images:
            self.images[name] = self.source.image(name)
        return self.images[name]

    def mask(self, name: str) -> ByteMask:
        """As the source's; callers do not write to it."""
        if name not in self.masks:
            self.masks[name] = self.source.mask(name)
        return self.masks[name]


@dataclass(frozen=True)
class CachedMasks:
    """Pixels whose masks stay in memory as runs once decoded; images are decoded each time.

    Of a full-size mask the runs take about 8 kB, so all of the competition's 40 MB for each loading process; and making
    the mask of them takes less than a twentieth of the time of decoding its GIF.
    """

    source: PixelSource
    masks: dict[str, tuple[Runs, tuple[int, int]]] = field(default_factory=dict)

    def image(self, name: str) -> Image:
        """As the source's."""
        return self.source.image(name)

    def mask(self, name: str) -> ByteMask:
        """As the source's."""
        if name not in self.masks:
            mask_HW = self.source.mask(name)
            height, width = mask_HW.shape
            self.masks[name] = runs_of_mask(mask_HW), (height, width)
            return mask_HW
        return mask_of_runs(*self.masks[name])
