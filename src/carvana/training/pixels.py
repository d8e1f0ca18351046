"""Decoded images and masks, by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Pixels(Protocol):
    """Decoded images and masks by name, as `ImageSet` has them."""

    def image(self, name: str) -> NDArray[np.uint8]:
        """image_HWC, uint8, blue, green, red."""

    def mask(self, name: str) -> NDArray[np.uint8]:
        """mask_HW, uint8, 0 or 1."""


@dataclass(frozen=True)
class KeptPixels:
    """Pixels that stay in memory once decoded: for small images only."""

    source: Pixels
    images: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    masks: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    def image(self, name: str) -> NDArray[np.uint8]:
        """As the source's; callers do not write to it."""
        if name not in self.images:
            self.images[name] = self.source.image(name)
        return self.images[name]

    def mask(self, name: str) -> NDArray[np.uint8]:
        """As the source's; callers do not write to it."""
        if name not in self.masks:
            self.masks[name] = self.source.mask(name)
        return self.masks[name]
