"""Probabilities to stored 8-bit maps, as each author did it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def truncated(probability: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Probability x 255 in float32, the fraction dropped (released ternausnet and albu prediction scripts).

    Args:
        probability: float32 in [0, 1], any shape.
    """
    return (probability * np.float32(255)).astype(np.uint8)


def rounded(probability: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Probability x 255 in float32, rounded half to even (released asanakoy prediction script).

    Args:
        probability: float32 in [0, 1], any shape.
    """
    scaled: npt.NDArray[np.float32] = probability * np.float32(255)
    return np.rint(scaled).astype(np.uint8)
