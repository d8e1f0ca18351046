"""Two predictions that need no network, to show how far above them the networks are.

Both are judged as the models are: a training image's mask comes from the cars of the other folds, a test image's from
all training cars.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from carvana import rle
from carvana.arrays import BoolMask, Image, Pixels
from carvana.data.imageset import ImageSet
from carvana.folds import Folds
from carvana.geometry import Geometry

# The colour threshold learns from every 32nd row and column of a full image.
SAMPLING_STEP: Final = 32
_THRESHOLDS: Final = 256


class Baseline(Protocol):
    """A fitted baseline."""

    def predict(self, image_HWC: Image) -> BoolMask:
        """(H, W) bool mask of an (H, W, 3) uint8 image in blue, green, red."""


@dataclass(frozen=True)
class TrainingPart:
    """What the baselines learn from the training images of one fold.

    Attributes:
        images: their number.
        car_counts: (H, W) int64, how many of their masks have the pixel set.
        colours: (N, 3) uint8, the sampled pixels' blue, green and red.
        is_car: (N,) bool, whether the sampled pixels are car.
    """

    images: int
    car_counts: NDArray[np.int64]
    colours: Pixels
    is_car: BoolMask


@dataclass(frozen=True)
class MeanMask:
    """The same mask for every image.

    Attributes:
        mask: (H, W) bool.
    """

    mask: BoolMask

    def predict(self, image_HWC: Image) -> BoolMask:
        """(H, W) bool: the mask, whatever the image."""
        return self.mask


@dataclass(frozen=True)
class ColourThreshold:
    """Car where a linear function of a pixel's colour is at least a threshold.

    Attributes:
        weights: (4,) float32, of blue, green, red (0..255) and of 1.
        threshold: of the linear function.
    """

    weights: NDArray[np.float32]
    threshold: float

    def predict(self, image_HWC: Image) -> BoolMask:
        """(H, W) bool mask of an (H, W, 3) uint8 image in blue, green, red."""
        return _linear(image_HWC, self.weights) >= self.threshold


def learn_from(images: ImageSet, names: Sequence[str], geometry: Geometry) -> TrainingPart:
    """Read training images and keep what the baselines need of them."""
    step = geometry.length(SAMPLING_STEP)
    car_counts_HW = np.zeros(geometry.image_size, np.int64)
    colours, is_car = [], []
    for name in names:
        mask_HW = images.mask(name)
        car_counts_HW += mask_HW
        colours.append(images.image(name)[::step, ::step].reshape(-1, 3))
        is_car.append(mask_HW[::step, ::step].ravel() > 0)
    return TrainingPart(len(names), car_counts_HW, np.concatenate(colours), np.concatenate(is_car))


def fit_mean_mask(parts: Sequence[TrainingPart]) -> MeanMask:
    """Car where at least half of the training masks are car."""
    car_counts_HW = np.sum([part.car_counts for part in parts], axis=0)
    return MeanMask(2 * car_counts_HW >= sum(part.images for part in parts))


def fit_colour_threshold(parts: Sequence[TrainingPart]) -> ColourThreshold:
    """The linear function by least squares on 0 and 1, then the threshold with the highest Dice on the same pixels."""
    colours_N3 = np.concatenate([part.colours for part in parts])
    is_car_N = np.concatenate([part.is_car for part in parts])
    # Sums of products of whole numbers, exact in float64, so neither order nor threads change them.
    design_N4 = np.column_stack([colours_N3, np.ones(len(colours_N3))])
    weights = np.linalg.lstsq(design_N4.T @ design_N4, design_N4.T @ is_car_N, rcond=None)[0].astype(np.float32)
    likeness_N = _linear(colours_N3, weights)
    edges = np.linspace(likeness_N.min(), likeness_N.max(), _THRESHOLDS)
    above = len(likeness_N) - np.searchsorted(np.sort(likeness_N), edges)
    car_above = is_car_N.sum() - np.searchsorted(np.sort(likeness_N[is_car_N]), edges)
    dice = 2 * car_above / (above + is_car_N.sum())
    return ColourThreshold(weights, float(edges[dice.argmax()]))


def _linear(colours: Pixels, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    values: NDArray[np.float32] = colours.astype(np.float32) @ weights[:3] + weights[3]
    return values


FITS: Final[Mapping[str, Callable[[Sequence[TrainingPart]], Baseline]]] = {
    "mean_mask": fit_mean_mask,
    "colour_threshold": fit_colour_threshold,
}


def learn_by_fold(images: ImageSet, folds: Folds, geometry: Geometry) -> dict[int, TrainingPart]:
    """`learn_from` the images of each fold."""
    return {
        fold: learn_from(images, [record.name for record in images.manifest if folds[record.car] == fold], geometry)
        for fold in sorted(set(folds.values()))
    }


def out_of_fold_masks(
    images: ImageSet, folds: Folds, parts: Mapping[int, TrainingPart], name: str
) -> Iterator[tuple[str, str]]:
    """Name and RLE of every training image, predicted by the baseline `name` of `FITS` from the other folds."""
    fitted = {fold: FITS[name]([part for other, part in parts.items() if other != fold]) for fold in parts}
    for record in images.manifest:
        mask_HW = fitted[folds[record.car]].predict(images.image(record.name))
        yield record.name, rle.encode_as_published(mask_HW)


def masks_of_test_images(images: ImageSet, parts: Mapping[int, TrainingPart], name: str) -> Iterator[tuple[str, str]]:
    """Name and RLE of every test image, predicted by the baseline `name` of `FITS` from all folds."""
    fitted = FITS[name](list(parts.values()))
    for image in images.manifest.names:
        yield image, rle.encode_as_published(fitted.predict(images.image(image)))
