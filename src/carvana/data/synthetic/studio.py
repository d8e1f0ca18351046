"""The studio that the car stands in: wall with lettering, floor, the turntable's edge, a soft shadow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from carvana.arrays import Doubles, Image
from carvana.data.synthetic.camera import Camera
from carvana.data.synthetic.solids import Colour

_WALL_DISTANCE: Final = 10.0
_TURNTABLE_RADIUS: Final = 3.35
_LETTER_HEIGHT: Final = 2.3
_LETTERS_BOTTOM: Final = 1.0
_LETTERS_WIDTH: Final = 13.4

# Strokes on a grid of 2 x 2, from the lower left corner; the later letters are bolder.
_STROKES: Final[dict[str, tuple[tuple[tuple[float, float], ...], ...]]] = {
    "V": (((0, 2), (1, 0), (2, 2)),),
    "E": (((1.8, 2), (0, 2), (0, 0), (1.8, 0)), ((0, 1), (1.5, 1))),
    "L": (((0, 2), (0, 0), (1.7, 0)),),
    "A": (((0, 0), (1, 2), (2, 0)), ((0.4, 0.7), (1.6, 0.7))),
    "N": (((0, 0), (0, 2), (2, 0), (2, 2)),),
    "T": (((0, 2), (2, 2)), ((1, 2), (1, 0))),
}
_WORD: Final = "VELANTA"

# The soft shadow is blurred on a small picture of this height.
_SHADOW_ROWS: Final = 128


@dataclass(frozen=True)
class Light:
    """What differs between two cars' visits to the studio.

    Attributes:
        wall, floor: colours, red, green, blue in 0..255.
        bright_spot: where the wall is brightest, a share of the width.
        falloff: how much darker the picture's corners are, 0..1.
        shadow: how dark the floor below the car is, 0..1.
        brightness: of the light on the car.
    """

    wall: Colour
    floor: Colour
    bright_spot: float
    falloff: float
    shadow: float
    brightness: float


def draw_light(rng: np.random.Generator) -> Light:
    """A visit's light: warm or cool, brighter or darker."""
    warmth = float(rng.uniform(-6, 6))
    wall, floor = float(rng.uniform(222, 244)), float(rng.uniform(142, 190))
    return Light(
        wall=(wall + warmth / 2, wall, wall - warmth / 2),
        floor=(floor + warmth, floor, floor - warmth),
        bright_spot=float(rng.uniform(0.3, 0.7)),
        falloff=float(rng.uniform(0.06, 0.16)),
        shadow=float(rng.uniform(0.5, 0.7)),
        brightness=float(rng.uniform(0.92, 1.06)),
    )


def draw_studio(camera: Camera, light: Light) -> Image:
    """(H, W, 3) uint8 RGB: the empty studio."""
    height, width = camera.size_HW
    wall_edge = np.array([[-30.0, _WALL_DISTANCE, 0.0], [30, _WALL_DISTANCE, 0], [30, -5, 0], [-30, -5, 0]])
    floor_HW1 = camera.fill([wall_edge])[..., None] / 255
    down_H1 = ((np.arange(height) + 0.5) / height)[:, None]
    across_W = (np.arange(width) + 0.5) / width
    distance_HW = (across_W - light.bright_spot) ** 2 + 0.6 * (down_H1 - 0.45) ** 2
    vignette_HW1 = (1 - light.falloff * np.minimum(distance_HW / 0.3, 1.3))[..., None]
    picture_HWC = np.array(light.wall) * (1 - floor_HW1) + np.array(light.floor) * floor_HW1
    # The floor mirrors the wall where it is seen at a glancing angle.
    mirrored_HW1 = floor_HW1 * np.clip(0.62 - 0.9 * (down_H1 - 0.3), 0.0, 0.4)[..., None]
    picture_HWC = picture_HWC * (1 - 0.6 * mirrored_HW1) + np.array(light.wall) * 0.6 * mirrored_HW1
    picture_HWC *= vignette_HW1
    letters_HW1 = camera.fill(_lettering())[..., None] / 255
    picture_HWC = picture_HWC * (1 - 0.58 * letters_HW1)
    edge_HW1 = (camera.fill([_circle(_TURNTABLE_RADIUS)]) != camera.fill([_circle(_TURNTABLE_RADIUS - 0.02)]))[
        ..., None
    ]
    picture_HWC = picture_HWC * (1 - 0.22 * edge_HW1)
    studio_HWC: Image = np.clip(np.round(picture_HWC), 0, 255).astype(np.uint8)
    return studio_HWC


def add_shadow(picture_HWC: Image, footprint_N3: Doubles, darkness: float) -> Image:
    """The picture with the soft shadow of a car on the floor; the shadow is not car.

    Args:
        picture_HWC: (H, W, 3) uint8.
        footprint_N3: outline of the car on the floor.
        darkness: of the floor below the car, 0..1.
    """
    height, width = picture_HWC.shape[:2]
    small = Camera((_SHADOW_ROWS, round(_SHADOW_ROWS * width / height)))
    middle_3 = (footprint_N3.min(axis=0) + footprint_N3.max(axis=0)) / 2
    wide_HW = cv2.GaussianBlur(small.fill([middle_3 + 1.12 * (footprint_N3 - middle_3)]), (0, 0), 6)
    close_HW = cv2.GaussianBlur(small.fill([middle_3 + 0.97 * (footprint_N3 - middle_3)]), (0, 0), 2)
    soft_HW = cv2.addWeighted(wide_HW, 0.4, close_HW, 0.6, 0)
    soft_HW1 = cv2.resize(soft_HW, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)[..., None] / 255
    return np.round(picture_HWC * (1 - darkness * soft_HW1)).astype(np.uint8)


def _circle(radius: float) -> Doubles:
    angles = [2 * math.pi * k / 180 for k in range(180)]
    return np.array([(radius * math.cos(angle), radius * math.sin(angle), 0.0) for angle in angles])


def _lettering() -> list[Doubles]:
    step = _LETTERS_WIDTH / len(_WORD)
    bars = []
    for place, letter in enumerate(_WORD):
        left = -_LETTERS_WIDTH / 2 + place * step
        thickness = 0.09 + 0.27 * place / len(_WORD)
        for stroke in _STROKES[letter]:
            points = [(left + x * 0.38 * step, _LETTERS_BOTTOM + y * _LETTER_HEIGHT / 2) for x, y in stroke]
            bars += [_bar(a, b, thickness) for a, b in pairwise(points)]
    return bars


def _bar(start: Sequence[float], end: Sequence[float], thickness: float) -> Doubles:
    """A straight stroke on the wall, lengthened by half its thickness at both ends."""
    along = (end[0] - start[0], end[1] - start[1])
    scale = thickness / 2 / math.sqrt(along[0] ** 2 + along[1] ** 2)
    a, b = along[0] * scale, along[1] * scale
    corners = (
        (start[0] - a - b, start[1] - b + a), (start[0] - a + b, start[1] - b - a),
        (end[0] + a + b, end[1] + b - a), (end[0] + a - b, end[1] + b + a),
    )  # fmt: skip
    return np.array([(x, _WALL_DISTANCE - 0.01, z) for x, z in corners])
