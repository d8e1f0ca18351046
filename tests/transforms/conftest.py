import numpy as np
import pytest

from carvana.geometry import SMALL


@pytest.fixture(name="image_HWC")
def noise():
    """Taller than one strip of rows that are worked on at once, and no multiple of it."""
    return np.random.default_rng(5).integers(0, 256, (75, 21, 3), dtype=np.uint8)


@pytest.fixture(scope="session")
def car():
    """A noisy image and a lopsided mask of the small geometry that nobody can write to, as decoded files are."""
    rng = np.random.default_rng(7)
    height, width = SMALL.image_size
    image_HWC = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    mask_HW = np.zeros((height, width), np.uint8)
    mask_HW[20:50, 15:60] = 1
    mask_HW[10:20, 45:55] = 1
    image_HWC.flags.writeable = mask_HW.flags.writeable = False
    return image_HWC, mask_HW


@pytest.fixture(scope="session")
def mask_as_image(car):
    """The same mask, and an image that shows it in white: what happens to one can be seen in the other."""
    mask_HW = car[1]
    return np.repeat(mask_HW[..., None] * np.uint8(255), 3, axis=2), mask_HW
