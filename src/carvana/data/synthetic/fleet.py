"""Which cars there are: kinds with typical measures, and a car drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from carvana.data.synthetic.car_shape import CarShape
from carvana.data.synthetic.solids import Colour


@dataclass(frozen=True)
class Kind:
    """A kind of car: the middle of each measure of `CarShape` (metres, or shares of the length), and its names."""

    models: tuple[str, ...]
    size: tuple[float, float, float]
    clearance: float
    wheel_radius: float
    heights: tuple[float, float, float]
    cabin: tuple[float, float, float, float]
    axles: tuple[float, float]
    doors: tuple[float, ...]
    narrowing: float = 0.2
    cladding: bool = False
    bed: bool = False
    extras: tuple[str, ...] = ()


# Sizes are length, width, height; heights are of nose, cowl and tail; the cabin runs from the windscreen's foot over
# the roof's front and rear to the backlight's foot.
KINDS: Final = {
    "sedan": Kind(
        ("Alder", "Linden"), (4.85, 1.84, 1.46), 0.19, 0.33, (0.74, 0.97, 1.02),
        (0.26, 0.42, 0.66, 0.86), (0.19, 0.79), (0.47, 0.88), extras=("fin", "aerial", "spoiler"),
    ),
    "hatchback": Kind(
        ("Finch", "Wren"), (4.15, 1.76, 1.5), 0.18, 0.32, (0.75, 1.0, 1.02),
        (0.22, 0.39, 0.84, 0.985), (0.19, 0.81), (0.48, 0.86), extras=("aerial", "spoiler"),
    ),
    "suv": Kind(
        ("Heron", "Osprey"), (4.75, 1.9, 1.72), 0.26, 0.37, (0.92, 1.12, 1.14),
        (0.23, 0.36, 0.86, 0.985), (0.19, 0.8), (0.42, 0.72), 0.16, cladding=True, extras=("rails", "fin", "spoiler"),
    ),
    "coupe": Kind(
        ("Comet", "Meteor"), (4.6, 1.87, 1.36), 0.16, 0.34, (0.7, 0.93, 0.97),
        (0.31, 0.46, 0.62, 0.91), (0.19, 0.79), (0.66,), 0.22, extras=("spoiler", "fin"),
    ),
    "pickup": Kind(
        ("Bison", "Moose"), (5.55, 1.98, 1.86), 0.31, 0.4, (1.05, 1.2, 1.2),
        (0.24, 0.35, 0.59, 0.625), (0.17, 0.78), (0.54,), 0.14, cladding=True, bed=True, extras=("aerial",),
    ),
    "van": Kind(
        ("Harbour", "Meadow"), (5.05, 1.96, 1.8), 0.2, 0.34, (0.86, 1.1, 1.12),
        (0.15, 0.31, 0.93, 0.99), (0.18, 0.79), (0.34, 0.66), 0.13, extras=("rails", "fin"),
    ),
}  # fmt: skip

# The tall vans of `glare`: longer and higher than any other car.
TALL_VAN: Final = Kind(
    ("Granary",), (5.5, 2.02, 1.98), 0.22, 0.36, (0.95, 1.2, 1.22),
    (0.13, 0.27, 0.965, 0.995), (0.17, 0.77), (0.3, 0.64), 0.08,
)  # fmt: skip

# The paler ones and the greys are close to the studio's wall and floor.
PALETTES: Final[dict[str, tuple[Colour, ...]]] = {
    "pale": ((243, 243, 241), (232, 230, 224), (198, 201, 204)),
    "grey": ((168, 171, 174), (128, 131, 135)),
    "dark": ((30, 31, 34), (62, 64, 68), (28, 34, 52)),
    "vivid": (
        (158, 20, 30), (34, 62, 138), (92, 26, 34), (44, 82, 62), (196, 104, 36), (158, 142, 112), (60, 120, 170),
    ),
}  # fmt: skip
# Dealt in this order, so that half of a few cars too has seen pale cars: a network that saw none takes them for wall.
_DEALT: Final = ("pale", "vivid", "pale", "dark", "grey", "pale", "vivid", "pale", "dark", "grey")


def palette_of(index: int) -> str:
    """The palette of the car with this number, from 0."""
    return _DEALT[index % len(_DEALT)]


def draw_kind(rng: np.random.Generator) -> Kind:
    """A kind of car, the common ones more often."""
    names = list(KINDS)
    return KINDS[names[int(rng.choice(len(names), p=[0.26, 0.2, 0.22, 0.1, 0.12, 0.1]))]]


def draw_car(rng: np.random.Generator, kind: Kind, palette: str) -> CarShape:
    """A car of a kind, painted from one of `PALETTES`: measures, colours and extras."""
    scale = float(rng.uniform(0.95, 1.05))
    length, width, height = (measure * scale * float(rng.uniform(0.98, 1.02)) for measure in kind.size)
    nose, cowl, tail = (measure * height / kind.size[2] * float(rng.uniform(0.98, 1.02)) for measure in kind.heights)
    cabin = [share + float(rng.uniform(-0.006, 0.006)) for share in kind.cabin[:3]]
    colours = PALETTES[palette]
    colour = _near(rng, colours[int(rng.integers(len(colours)))], 8)
    roof_colour = (34.0, 34.0, 36.0) if rng.random() < 0.12 else colour
    rim_colour = _near(rng, (190, 192, 196) if rng.random() < 0.8 else (66, 66, 70), 12)
    return CarShape(
        length=length, width=width, height=height,
        clearance=kind.clearance * float(rng.uniform(0.93, 1.07)),
        wheel_radius=kind.wheel_radius * float(rng.uniform(0.96, 1.06)),
        nose=nose, cowl=cowl, tail=max(tail, cowl),
        windscreen_foot=cabin[0], roof_front=cabin[1], roof_rear=cabin[2], backlight_foot=kind.cabin[3],
        axles=kind.axles, doors=kind.doors, narrowing=kind.narrowing, spokes=int(rng.integers(5, 11)),
        colour=colour, roof_colour=roof_colour, rim_colour=rim_colour,
        cladding=kind.cladding and bool(rng.random() < 0.7), bed=kind.bed,
        extras=frozenset(extra for extra in kind.extras if rng.random() < 0.6),
    )  # fmt: skip


def _near(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    red, green, blue = (min(max(channel + float(rng.uniform(-spread, spread)), 0.0), 250.0) for channel in colour)
    return red, green, blue
