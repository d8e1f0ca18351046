"""From which level on a pixel of an 8-bit map is car."""

from __future__ import annotations

from typing import Final

THRESHOLD: Final = 128
