"""A car as painted faces: a lofted body and cabin, wheels, lamps and what hangs on them, from its measures."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from carvana.data.synthetic.car_shape import PLAN, CarShape, value_at
from carvana.data.synthetic.solids import Face, Paint, Point, box, loft, mirrored, ring

GLASS: Final = Paint((52, 58, 64), 0.75)
PLASTIC: Final = Paint((44, 44, 46), 0.1)
TYRE: Final = Paint((34, 34, 36))
GAP: Final = Paint((16, 16, 18))
LENS: Final = Paint((215, 222, 228), 0.9)
TAIL_LAMP: Final = Paint((172, 22, 28), 0.6)
PLATE: Final = Paint((232, 234, 238))
ALUMINIUM: Final = Paint((178, 180, 184), 0.4)

# How far a painted detail lies above the surface that it is painted on.
LIFT: Final = 0.008


def build_car(shape: CarShape) -> list[Face]:
    """All faces of the car. Every face counts as car, as in the competition's masks: tyres, mirrors, aerials."""
    return [
        *_body(shape),
        *_cabin(shape),
        *mirrored(_side_details(shape)),
        *_front_and_rear(shape),
        *[face for axle in shape.axles for face in mirrored(_wheel(shape, shape.x(axle)))],
        *_extras(shape),
    ]


def raised_roof(shape: CarShape) -> list[Face]:
    """The roof that a van may have on top of its own; see `carvana.data.synthetic.glare`."""
    front, rear = shape.x(shape.roof_front + 0.03), shape.x(shape.roof_rear + 0.01)
    centre = ((front + rear) / 2, 0.0, shape.height + 0.19)
    return box(centre, (front - rear, 0.78 * shape.width, 0.46), Paint(shape.colour), top_scale=0.92)


def footprint(shape: CarShape) -> list[Point]:
    """Outline of the car on the floor."""
    x, y = 0.49 * shape.length, 0.47 * shape.width
    corners = ((1, 0.8), (0.9, 1), (-0.9, 1), (-1, 0.8), (-1, -0.8), (-0.9, -1), (0.9, -1), (1, -0.8))
    return [(a * x, b * y, 0.0) for a, b in corners]


def _body(shape: CarShape) -> list[Face]:
    stations = sorted({
        *(share for share, _ in PLAN), 0.006, 0.025, 0.07, 0.15, 0.2, 0.96, *_between(0.3, 0.9, 7),
        shape.windscreen_foot, shape.backlight_foot,
    })  # fmt: skip
    heights = [0, 0.06, 0.12, 0.3, 0.5, 0.68, 0.8, 0.88, 0.93, 0.97, 1]
    paintwork, lower = Paint(shape.colour, 0.35), PLASTIC if shape.cladding else Paint(shape.colour, 0.1)

    def section(share: float) -> list[Point]:
        bottom, top, x = shape.body_bottom(share), shape.body_top(share), shape.x(share)
        left = [(x, shape.half_width(share, h), bottom + h * (top - bottom)) for h in heights]
        crown = [(x, part * left[-1][1], top + rise) for part, rise in ((0.75, 0.015), (0.35, 0.03), (0, 0.03))]
        half = [*left, *crown]
        return [*half, *[(x, -y, z) for x, y, z in half[-2::-1]]]

    def paint_at(i: int, j: int) -> Paint:
        share, rank = (stations[i] + stations[i + 1]) / 2, min(j, 2 * len(heights) + 3 - j)
        if share < 0.055 and 6 <= rank <= 8:
            return LENS
        if share > 0.955 and 5 <= rank <= 8:
            return TAIL_LAMP
        return lower if rank < 2 else paintwork

    sections = [section(share) for share in stations]
    underside = [[section[0], section[-1]] for section in sections]
    return [
        *loft(sections, paint_at),
        *loft(underside, lambda _i, _j: GAP),
        Face(sections[0], paintwork),
        Face(sections[-1], paintwork),
    ]


def _cabin(shape: CarShape) -> list[Face]:
    foot, front, rear, back = shape.windscreen_foot, shape.roof_front, shape.roof_rear, shape.backlight_foot
    windscreen = [value_at(((0, foot), (1, front)), k) for k in (0, 0.06, 0.3, 0.6, 0.94)]
    backlight = [value_at(((0, rear), (1, back)), k) for k in (0.06, 0.35, 0.7, 0.92, 1)]
    stations = [*windscreen, front, *_between(front, rear, 8)[1:-1], rear, *backlight]
    paintwork, roof = Paint(shape.colour, 0.35), Paint(shape.roof_colour, 0.35)

    def section(share: float) -> list[Point]:
        x, low, top = shape.x(share), shape.shoulder - 0.04, max(shape.cabin_top(share), shape.shoulder - 0.04)
        wide = shape.cabin_half_width(top)
        edge = low + 0.88 * (top - low)
        half = [
            (x, shape.cabin_half_width(low), low),
            (x, shape.cabin_half_width(edge), edge),
            (x, 0.95 * wide, low + 0.975 * (top - low)),
            (x, 0.87 * wide, top),
            (x, 0.45 * wide, top + 0.02),
            (x, 0.0, top + 0.025),
        ]
        return [*half, *[(x, -y, z) for x, y, z in half[-2::-1]]]

    def paint_at(i: int, j: int) -> Paint:
        share, rank = (stations[i] + stations[i + 1]) / 2, min(j, 9 - j)
        in_front = foot + 0.05 * (front - foot) < share < front - 0.05 * (front - foot)
        behind = rear + 0.05 * (back - rear) < share < rear + 0.93 * (back - rear)
        if rank >= 3 and (in_front or behind):
            return GLASS
        return roof if rank >= 1 else paintwork

    sections = [section(share) for share in stations]
    return [*loft(sections, paint_at), Face(sections[0], paintwork), Face(sections[-1], paintwork)]


def _side_details(shape: CarShape) -> list[Face]:
    """Left side: windows, arches, door gaps, handles, sill, mirror."""

    def on_cabin(share: float, height: float) -> Point:
        return shape.x(share), shape.cabin_half_width(height) + LIFT, height

    def on_body(share: float, height: float) -> Point:
        bottom, top = shape.body_bottom(share), shape.body_top(share)
        return shape.x(share), shape.half_width(share, (height - bottom) / (top - bottom)) + LIFT, height

    low, high = shape.shoulder + 0.035, shape.height - 0.14
    reach = (high - low) / (shape.height - shape.shoulder)
    pillar = 0.07 / shape.length
    front_low = shape.windscreen_foot + 0.13 * (shape.roof_front - shape.windscreen_foot) + 0.3 * pillar
    front_high = front_low + reach * (shape.roof_front - shape.windscreen_foot)
    back_low = shape.backlight_foot - 0.12 * (shape.backlight_foot - shape.roof_rear) - 1.8 * pillar
    back_high = back_low - reach * (shape.backlight_foot - shape.roof_rear)
    cuts = [front_low + part * (back_low - front_low) for part in shape.doors]
    lower = [front_low, *cuts, back_low]
    upper = [front_high, *(max(min(cut, back_high - pillar), front_high + pillar) for cut in cuts), back_high]
    faces = []
    for k in range(len(lower) - 1):
        a, b = lower[k] + pillar * (k > 0) / 2, lower[k + 1] - pillar * (k + 2 < len(lower)) / 2
        c, d = upper[k + 1] - pillar * (k + 2 < len(lower)) / 2, upper[k] + pillar * (k > 0) / 2
        if b > a:
            faces.append(
                Face([on_cabin(a, low), on_cabin(b, low), on_cabin(max(c, d), high), on_cabin(d, high)], GLASS)
            )
    faces += [strip for axle in shape.axles for strip in _arch(shape, axle, on_body)]
    gap = 0.014 / shape.length
    sill, belt = shape.clearance + 0.12, shape.shoulder - 0.06
    for cut in (front_low + 0.004, *cuts):
        edges = [(on_body(cut, height), on_body(cut + gap, height)) for height in _between(sill, belt, 10)]
        faces += loft(edges, lambda _i, _j: GAP)
    for cut in cuts:
        x, y, z = on_body(cut - 0.045, belt - 0.1)
        faces += box((x, y, z), (0.17, 0.05, 0.03), Paint(shape.colour, 0.5))
    mirror_x = shape.x(shape.windscreen_foot + 0.3 * (shape.roof_front - shape.windscreen_foot))
    mirror_y = shape.width / 2 * 0.95 + 0.1
    faces += box((mirror_x, mirror_y, shape.shoulder + 0.09), (0.13, 0.2, 0.15), Paint(shape.colour, 0.3), 0.85)
    return faces + box((mirror_x, mirror_y - 0.12, shape.shoulder + 0.03), (0.07, 0.18, 0.05), PLASTIC)


def _arch(shape: CarShape, axle: float, on_body: Callable[[float, float], Point]) -> list[Face]:
    """The dark opening around a wheel, in upright strips that follow the body."""
    radius = shape.wheel_radius
    reach = 1.2 * radius

    def top(offset: float) -> float:
        return radius + math.sqrt(max(reach * reach - offset * offset, 0.0))

    edges = _between(-reach, reach, 15)
    rim = 0.06 if shape.cladding else 0.015
    faces = []
    for a, b in pairwise(edges):
        heights = [*zip(_between(shape.clearance, top(a), 6), _between(shape.clearance, top(b), 6), strict=True)]
        heights.append((top(a) + rim, top(b) + rim))
        rows = [
            (on_body(axle - a / shape.length, at_a), on_body(axle - b / shape.length, at_b)) for at_a, at_b in heights
        ]
        faces += [*loft(rows[:-1], lambda _i, _j: GAP), *loft(rows[-2:], lambda _i, _j: PLASTIC)]
    return faces


def _front_and_rear(shape: CarShape) -> list[Face]:
    """Grille, bumper openings, number plates and lamps on the two ends."""

    def upright(x: float, y: tuple[float, float], z: tuple[float, float], taper: float, paint: Paint) -> Face:
        return Face([(x, y[0], z[1]), (x, y[1], z[1]), (x, y[1] * taper, z[0]), (x, y[0] * taper, z[0])], paint)

    front, rear = shape.x(0) + LIFT, shape.x(1) - LIFT
    half = shape.half_width(0)
    low, high = shape.body_bottom(0), shape.body_top(0)
    tall = high - low
    low_r, tall_r = shape.body_bottom(1), shape.body_top(1) - shape.body_bottom(1)
    half_r = shape.half_width(1)
    return [
        upright(front, (-0.5 * half, 0.5 * half), (low + 0.5 * tall, low + 0.94 * tall), 0.8, GAP),
        upright(front + LIFT, (-0.45 * half, 0.45 * half), (low + 0.7 * tall, low + 0.75 * tall), 1, ALUMINIUM),
        upright(front, (-0.8 * half, 0.8 * half), (low + 0.05 * tall, low + 0.3 * tall), 0.85, GAP),
        upright(front + 2 * LIFT, (-0.24, 0.24), (low + 0.28 * tall, low + 0.28 * tall + 0.14), 1, PLATE),
        *mirrored([upright(front, (0.55 * half, 0.97 * half), (low + 0.66 * tall, low + 0.95 * tall), 1, LENS)]),
        upright(rear, (-0.9 * half_r, 0.9 * half_r), (low_r, low_r + 0.16 * tall_r), 1, PLASTIC),
        upright(rear - LIFT, (-0.24, 0.24), (low_r + 0.5 * tall_r, low_r + 0.5 * tall_r + 0.14), 1, PLATE),
        *mirrored(
            [upright(rear, (0.6 * half_r, 0.99 * half_r), (low_r + 0.58 * tall_r, low_r + 0.92 * tall_r), 1, TAIL_LAMP)]
        ),
    ]


def _wheel(shape: CarShape, x: float) -> list[Face]:
    """A left wheel: tyre, rim and spokes."""
    radius, outside = shape.wheel_radius, shape.width / 2 + 0.012
    sides = [ring((x, y, radius), r, 24) for y, r in ((outside - 0.23, radius), (outside, radius))]
    tread = [[*side, side[0]] for side in sides]
    rim_radius = 0.7 * radius
    count = shape.spokes
    hub = (x, outside + 2 * LIFT, radius)
    inner, outer = ring(hub, 0.25 * rim_radius, 4 * count), ring(hub, 0.88 * rim_radius, 4 * count)
    holes = [
        [inner[4 * k], outer[4 * k], outer[4 * k + 1], outer[4 * k + 2], inner[(4 * k + 2) % len(inner)]]
        for k in range(count)
    ]
    return [
        *loft(tread, lambda _i, _j: TYRE),
        *[Face(side, TYRE) for side in sides],
        Face(ring((x, outside + LIFT, radius), rim_radius, 24), Paint(shape.rim_colour, 0.3)),
        *[Face(hole, GAP) for hole in holes],
    ]


def _extras(shape: CarShape) -> list[Face]:
    faces: list[Face] = []
    middle = (shape.roof_front + shape.roof_rear) / 2
    if "aerial" in shape.extras:
        x = shape.x(shape.roof_rear - 0.01)
        faces += box((x, 0.12, shape.height + 0.2), (0.022, 0.022, 0.55), PLASTIC, 0.6)
    if "fin" in shape.extras:
        faces += box((shape.x(shape.roof_rear - 0.02), 0, shape.height + 0.03), (0.2, 0.05, 0.12), PLASTIC, 0.4)
    if "rails" in shape.extras:
        long = 0.9 * shape.length * (shape.roof_rear - shape.roof_front)
        y = 0.85 * shape.cabin_half_width(shape.height)
        faces += mirrored(box((shape.x(middle), y, shape.height + 0.03), (long, 0.04, 0.05), ALUMINIUM))
    if "spoiler" in shape.extras:
        x, z = shape.x(0.975), shape.tail + 0.13
        if shape.roof_rear > 0.75:
            x, z = shape.x(shape.roof_rear + 0.02), shape.height - 0.03
        faces += box((x, 0, z), (0.26, 0.72 * shape.width, 0.04), Paint(shape.colour, 0.3))
        faces += mirrored(box((x, 0.3 * shape.width, z - 0.08), (0.1, 0.05, 0.14), PLASTIC))
    if shape.bed:
        x0, x1 = shape.x(shape.backlight_foot + 0.02), shape.x(0.96)
        y, z = 0.36 * shape.width, shape.tail + 0.045
        faces.append(Face([(x0, y, z), (x1, y, z), (x1, -y, z), (x0, -y, z)], GAP))
    return faces


def _between(low: float, high: float, count: int) -> list[float]:
    """`count` numbers at equal distances, both ends among them."""
    return [low + (high - low) * k / (count - 1) for k in range(count)]
