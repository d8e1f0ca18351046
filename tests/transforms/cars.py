"""A noisy image and a box for its mask."""

import numpy as np


def noisy_car(size_HW):
    """image_HWC, uint8, and mask_HW, 1 in its middle half."""
    height, width = size_HW
    image_HWC = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    mask_HW = np.zeros((height, width), np.uint8)
    mask_HW[height // 4 : 3 * height // 4, (width + 2) // 4 : 3 * (width + 2) // 4] = 1
    return image_HWC, mask_HW
