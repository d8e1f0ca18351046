"""The arrays that images, masks and maps are: a name for each; its type gives the dtype, its text shape and range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""8-bit values, 0..255, of any shape, such as (H, W) or (H, W, C)."""

Image = Pixels
"""(H, W, 3), 0..255: blue, green, red, as OpenCV decodes them, unless red, green, blue are said."""

BoolMask = NDArray[np.bool_]
"""(H, W): True for car."""

ByteMask = NDArray[np.uint8]
"""(H, W): 1 for car, else 0; or, where that is said, 255 for car and, at soft edges, what lies between."""

Mask = BoolMask | ByteMask
"""(H, W): car where not 0; for what takes a mask in either form."""

Map = NDArray[np.uint8]
"""(H, W), 0..255: probability of car x 255, of one network or merged from several."""

Sums = NDArray[np.uint16]
"""(H, W), 0..65535: sum of at most 257 networks' maps."""

Levels = NDArray[np.float32]
"""(H, W), 0..255: what a map's values are before they are rounded, such as a mean of maps."""

Doubles = NDArray[np.float64]
"""Values in double precision, of any shape and range."""

Floats = NDArray[np.float32] | Doubles
"""Values in single or double precision, of any shape and range."""
