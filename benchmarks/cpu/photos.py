"""Drawn photos of full size, and maps such as trained networks make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from carvana.arrays import ByteMask, Floats, Image, Map
from carvana.data.images import read_image
from carvana.data.intake import take_in
from carvana.data.manifest import Manifest
from carvana.data.masks import read_mask
from carvana.data.synthetic.dataset import write_competition
from carvana.geometry import FULL
from carvana.seeding import generator


@dataclass(frozen=True)
class Photos:
    """Full-size photos with their masks, as files and decoded."""

    manifest: Manifest
    images: Sequence[Path]
    masks: Sequence[Path]
    pixels: Sequence[Image]
    cars: Sequence[ByteMask]

    @classmethod
    def drawn(cls, folder: Path) -> Photos:
        """Photos of one drawn car in the competition's size and formats."""
        write_competition(folder, 2017, 1, 1, FULL.image_size, archives=False)
        manifest = take_in(folder, "train", FULL, folder / "work", quiet=True)
        images, masks = sorted((folder / "train_hq").iterdir()), sorted((folder / "train_masks").iterdir())
        return cls(manifest, images, masks, [read_image(path) for path in images], [read_mask(path) for path in masks])


def logits_like(car_HW: ByteMask, seed: int) -> Floats:
    """A trained network's output: sure but for a narrow band along the outline."""
    noise_HW = (
        generator("map", seed).normal(0, 0.6, (car_HW.shape[0] // 8, car_HW.shape[1] // 8 + 1)).astype(np.float32)
    )
    rough_HW = cv2.resize(noise_HW, car_HW.shape[::-1], interpolation=cv2.INTER_CUBIC)
    distance_HW = cv2.GaussianBlur(car_HW.astype(np.float32), (0, 0), 2.0) - 0.5
    return np.asarray(18 * distance_HW + rough_HW, np.float32)


def maps_like(car_HW: ByteMask, seed: int) -> Map:
    """A map as a trained network makes it."""
    return np.asarray(255 / (1 + np.exp(-logits_like(car_HW, seed))), np.float32).astype(np.uint8)
