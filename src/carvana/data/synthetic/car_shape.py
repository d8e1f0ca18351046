"""A car's measures, and the curves of its outline that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from carvana.data.synthetic.solids import Colour

Curve = Sequence[tuple[float, float]]
"""Points (position, value), ordered by position."""

# Half the body's width seen from above (by share of the length) and in a cross-section (by share of the height).
PLAN: Final[Curve] = (
    (0, 0.72),
    (0.012, 0.82),
    (0.04, 0.9),
    (0.1, 0.97),
    (0.3, 1),
    (0.75, 1),
    (0.93, 0.95),
    (0.985, 0.88),
    (1, 0.8),
)
_SECTION: Final[Curve] = ((0, 0.93), (0.12, 0.97), (0.5, 1), (0.8, 0.985), (0.93, 0.95), (1, 0.86))


@dataclass(frozen=True)
class CarShape:
    """A car's measures, in metres unless said otherwise.

    Attributes:
        length, width, height: outer measures, without mirrors and what is on the roof.
        clearance: of the sill above the floor.
        wheel_radius: of the tyres.
        nose, cowl, tail: heights of the bonnet's front, of the windscreen's foot and of the tail.
        windscreen_foot, roof_front, roof_rear, backlight_foot: shares of the length, from the front.
        axles: front and rear, shares of the length, from the front.
        doors: where the side windows are divided, shares of the cabin's length.
        narrowing: of the cabin from its foot to the roof, a share of its width.
        spokes: of a rim.
        colour: of the paintwork; `roof_colour` of the roof; `rim_colour` of the rims.
        cladding: whether sills and arches are of dark plastic.
        bed: whether a loading bed is open behind the cabin.
        extras: any of `aerial`, `fin`, `rails`, `spoiler`.
    """

    length: float
    width: float
    height: float
    clearance: float
    wheel_radius: float
    nose: float
    cowl: float
    tail: float
    windscreen_foot: float
    roof_front: float
    roof_rear: float
    backlight_foot: float
    axles: tuple[float, float]
    doors: tuple[float, ...]
    narrowing: float
    spokes: int
    colour: Colour
    roof_colour: Colour
    rim_colour: Colour
    cladding: bool
    bed: bool
    extras: frozenset[str]

    def x(self, share: float) -> float:
        """Position along the car of a share of its length, counted from the front."""
        return self.length * (0.5 - share)

    @property
    def shoulder(self) -> float:
        """Height of the windows' lower edge."""
        return max(self.cowl, self.tail)

    def half_width(self, share: float, height: float = 0.6) -> float:
        """Half the body's width; `height` is a share of the body's, 0 at the sill and 1 at the shoulder."""
        return self.width / 2 * value_at(PLAN, share) * value_at(_SECTION, height)

    def body_top(self, share: float) -> float:
        """Height of bonnet, shoulder and boot."""
        foot, back = self.windscreen_foot, self.backlight_foot
        curve = (
            (0.0, self.nose - 0.1),
            (0.012, self.nose),
            (0.06, self.nose + 0.45 * (self.cowl - self.nose)),
            (foot, self.cowl),
            (back, self.shoulder),
            (max(back + 0.01, 0.97), self.tail),
            (1.0, self.tail - 0.09),
        )
        return value_at(curve, share)

    def body_bottom(self, share: float) -> float:
        """Height of the bumpers' and the sill's lower edge."""
        low = self.clearance
        return value_at(((0, low + 0.08), (0.05, low), (0.93, low), (1, low + 0.14)), share)

    def cabin_top(self, share: float) -> float:
        """Height of windscreen, roof and backlight; the shoulder's where there is none."""
        foot, front, rear, back = self.windscreen_foot, self.roof_front, self.roof_rear, self.backlight_foot
        curve = (
            (foot, self.cowl),
            (front, self.height - 0.05),
            (front + 0.35 * (rear - front), self.height),
            (rear, self.height - 0.05),
            (back, self.shoulder),
        )
        return value_at(curve, share)

    def cabin_half_width(self, height: float) -> float:
        """Half the cabin's width at a height in metres."""
        rise = (height - self.shoulder) / (self.height - self.shoulder)
        return 0.445 * self.width * (1 - self.narrowing * rise)


def value_at(curve: Curve, position: float) -> float:
    """The curve's value at a position: linear between its points, constant outside."""
    if position <= curve[0][0]:
        return curve[0][1]
    for (x0, y0), (x1, y1) in pairwise(curve):
        if position <= x1:
            return y0 + (y1 - y0) * (position - x0) / (x1 - x0)
    return curve[-1][1]
