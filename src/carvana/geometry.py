"""The sizes a run works at: the competition's own, or a twentieth of them for a laptop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

FULL_HEIGHT: Final = 1280

# What a recipe calls the size of its network's input.
InputSize = Literal["wide", "square"]


@dataclass(frozen=True)
class Geometry:
    """Sizes in pixels, always (height, width).

    Attributes:
        name: `full` or `small`; results made with `small` cannot be submitted.
        image_size: size of images, masks, maps and submissions.
        wide_size: network input of ternausnet and linknet34 (`image_size` and 2 columns of border).
        unet_size: network input of the two U-Nets, to which images are resized; small: the smallest at which the six
            levels of unet_scratch can batch-normalise one image, with a height whose loss window the author states.
    """

    name: str
    image_size: tuple[int, int]
    wide_size: tuple[int, int]
    unet_size: tuple[int, int]

    def network_size(self, size: InputSize) -> tuple[int, int]:
        """Size of a network's input, by what its recipe calls it."""
        return self.wide_size if size == "wide" else self.unet_size

    def length(self, full_pixels: int) -> int:
        """A length given in pixels of the full image, in pixels of this geometry: nearest, at least 1."""
        return max(1, round(full_pixels * self.image_size[0] / FULL_HEIGHT))

    def area(self, full_pixels: float) -> float:
        """An area given in square pixels of the full image, in square pixels of this geometry."""
        return full_pixels * (self.image_size[0] / FULL_HEIGHT) ** 2


FULL: Final = Geometry("full", (1280, 1918), (1280, 1920), (1024, 1024))
SMALL: Final = Geometry("small", (64, 94), (64, 96), (128, 64))
GEOMETRIES: Final = {geometry.name: geometry for geometry in (FULL, SMALL)}
