"""One car on the turntable: its pictures and masks from sixteen sides."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from carvana.arrays import BoolMask, Image
from carvana.data.names import VIEWS
from carvana.data.synthetic.camera import Camera
from carvana.data.synthetic.car import build_car, footprint, raised_roof
from carvana.data.synthetic.car_shape import CarShape
from carvana.data.synthetic.fleet import TALL_VAN, Kind, draw_car, draw_kind
from carvana.data.synthetic.glare import add_glare, draw_raised
from carvana.data.synthetic.solids import Face, Point
from carvana.data.synthetic.studio import Light, add_shadow, draw_light, draw_studio


@dataclass(frozen=True)
class Visit:
    """A car's visit to the studio.

    Attributes:
        kind, shape: of the car.
        light: in the studio.
        place: of the car's middle on the turntable, metres right and away.
        turn: of the car against the turntable's marks, degrees.
        raised: views in a glare, and whether their masks have a raised roof.
        noise_seed: of the sensor's noise.
    """

    kind: Kind
    shape: CarShape
    light: Light
    place: tuple[float, float]
    turn: float
    raised: dict[int, bool]
    noise_seed: int


@dataclass(frozen=True)
class View:
    """One picture: `image` (H, W, 3) uint8 RGB, and `mask` (H, W) bool, car where at least half of a pixel is car."""

    number: int
    image: Image
    mask: BoolMask


@dataclass(frozen=True)
class _Pose:
    """Where a car is in the world: its front points `heading` radians from the x axis, its middle is at `place`."""

    heading: float
    place: tuple[float, float]

    def points(self, points: Sequence[Point]) -> list[Point]:
        """From the car's axes to the world's."""
        cos, sin = math.cos(self.heading), math.sin(self.heading)
        return [(x * cos - y * sin + self.place[0], x * sin + y * cos + self.place[1], z) for x, y, z in points]

    def faces(self, faces: Sequence[Face]) -> list[Face]:
        """As `points`."""
        return [Face(self.points(face.corners), face.paint) for face in faces]


def draw_visit(rng: np.random.Generator, palette: str, in_glare: bool) -> Visit:
    """A visit of a random car, painted from a palette; of a tall van in a glare if wished."""
    kind = TALL_VAN if in_glare else draw_kind(rng)
    return Visit(
        kind=kind,
        shape=draw_car(rng, kind, palette),
        light=draw_light(rng),
        place=(float(rng.uniform(-0.12, 0.12)), float(rng.uniform(-0.12, 0.12))),
        turn=float(rng.uniform(-5, 3)),
        raised=draw_raised(rng) if in_glare else {},
        noise_seed=int(rng.integers(2**32)),
    )


def draw_views(visit: Visit, size_HW: tuple[int, int]) -> Iterator[View]:
    """The sixteen views at (H, W) pixels: 1 the front, 5 with the front to the left, 9 the rear, 13 the other side."""
    camera = Camera(size_HW)
    studio_HWC = draw_studio(camera, visit.light)
    car, roof, outline = build_car(visit.shape), raised_roof(visit.shape), footprint(visit.shape)
    for number in VIEWS:
        pose = _Pose(math.radians(-90 - visit.turn - 22.5 * (number - 1)), visit.place)
        behind_HWC = add_shadow(studio_HWC, np.array(pose.points(outline)), visit.light.shadow)
        layer = camera.draw(pose.faces(car), visit.light.brightness)
        image_HWC, covered_HW = layer.over(behind_HWC), layer.whole_coverage(size_HW)
        mask_HW = covered_HW >= 128
        if number in visit.raised:
            roof_HW = camera.draw(pose.faces(roof)).whole_coverage(size_HW)
            image_HWC = add_glare(image_HWC, roof_HW, covered_HW)
            if visit.raised[number]:
                mask_HW = mask_HW | (roof_HW >= 128)
        yield View(number, _with_noise(image_HWC, visit.noise_seed, number), mask_HW)


def _with_noise(image_HWC: Image, seed: int, view: int) -> Image:
    noise_HW1 = np.random.default_rng([seed, view]).integers(-3, 4, (*image_HWC.shape[:2], 1), dtype=np.int16)
    noisy_HWC: Image = np.clip(image_HWC + noise_HW1, 0, 255).astype(np.uint8)
    return noisy_HWC
