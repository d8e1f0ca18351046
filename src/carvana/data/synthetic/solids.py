"""Solid shapes as flat, painted faces in space.

Lengths in metres; a car's own axes: x forward, y left, z up, the origin on the floor below the car's middle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

Point = tuple[float, float, float]
Colour = tuple[float, float, float]


class Paint(NamedTuple):
    """How a face looks: red, green, blue in 0..255 under full light, and how much of a light it mirrors (0..1)."""

    colour: Colour
    gloss: float = 0.0


class Face(NamedTuple):
    """A flat polygon, possibly not convex."""

    corners: Sequence[Point]
    paint: Paint


def loft(sections: Sequence[Sequence[Point]], paint_at: Callable[[int, int], Paint]) -> list[Face]:
    """The quadrilaterals between neighbouring sections, all with the same number of points.

    Args:
        sections: polylines along the solid.
        paint_at: paint of the face between sections i and i + 1, points j and j + 1.
    """
    return [
        Face((near[j], near[j + 1], far[j + 1], far[j]), paint_at(i, j))
        for i, (near, far) in enumerate(pairwise(sections))
        for j in range(len(near) - 1)
    ]


def box(centre: Point, size: Point, paint: Paint, top_scale: float = 1.0) -> list[Face]:
    """A cuboid, its top scaled in x and y."""
    x, y, z = centre
    half_x, half_y, half_z = (length / 2 for length in size)
    outline = ((1, 1), (1, -1), (-1, -1), (-1, 1))
    low = [(x + a * half_x, y + b * half_y, z - half_z) for a, b in outline]
    high = [(x + a * half_x * top_scale, y + b * half_y * top_scale, z + half_z) for a, b in outline]
    return [
        Face(high, paint),
        Face(low, paint),
        *loft([[*low, low[0]], [*high, high[0]]], lambda _i, _j: paint),
    ]


def ring(centre: Point, radius: float, count: int) -> list[Point]:
    """`count` points of an upright circle in the plane y = centre's."""
    x, y, z = centre
    angles = [2 * math.pi * k / count for k in range(count)]
    return [(x + radius * math.cos(angle), y, z + radius * math.sin(angle)) for angle in angles]


def mirrored(faces: Iterable[Face]) -> list[Face]:
    """The faces and their mirror images on the other side of the car."""
    kept = list(faces)
    return kept + [Face([(x, -y, z) for x, y, z in face.corners], face.paint) for face in kept]
