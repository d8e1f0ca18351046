"""Names of the competition's images: `<car: 12 hex digits>_<view: 01..16>.jpg`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from carvana.errors import UserError

VIEWS: Final = range(1, 17)
VIEWS_PER_CAR: Final = len(VIEWS)
_PATTERN: Final = re.compile(r"([0-9a-f]{12})_(0[1-9]|1[0-6])\.jpg", re.ASCII)


@dataclass(frozen=True, order=True)
class ImageName:
    """One view of one car; sorts like its text.

    Attributes:
        car: 12 lower-case hexadecimal digits.
        view: 1..16, the position on the turntable.
    """

    car: str
    view: int

    def __str__(self) -> str:
        return f"{self.stem}.jpg"

    @property
    def stem(self) -> str:
        """The name without its extension."""
        return f"{self.car}_{self.view:02d}"

    @property
    def mask_stem(self) -> str:
        """The name of the image's mask without its extension (Kaggle's masks are `.gif`)."""
        return f"{self.stem}_mask"


def parse_image_name(text: str) -> ImageName:
    """The car and view in an image's file name.

    Raises:
        UserError: the name does not have the competition's form.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise UserError(
            f"{text!r} is not an image name: expected 12 lower-case hexadecimal digits, '_', a view 01..16 and '.jpg',"
            " as in 03a857ce842d_01.jpg"
        )
    return ImageName(match[1], int(match[2]))
