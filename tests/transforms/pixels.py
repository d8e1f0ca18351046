"""The smallest images."""

import numpy as np


def pixel(*channels):
    """An image of one pixel with these 8-bit values."""
    return np.array([[channels]], dtype=np.uint8)
