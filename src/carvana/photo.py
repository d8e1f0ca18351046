"""Any photo of a car through a finished run's networks: brought to the run's size, masked, and brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from carvana.arrays import BoolMask, Image, Levels, Pixels, Sums
from carvana.computing.forward import forward_in
from carvana.computing.runtime import configure
from carvana.maps import postprocess
from carvana.maps.ensemble import mean
from carvana.maps.recipe_maps import recipe_maps
from carvana.maps.threshold import THRESHOLD
from carvana.prediction.maps import sum_of_maps
from carvana.prediction.networks import load_networks
from carvana.recipe_files import load_recipe
from carvana.trained_run import TrainedRun
from carvana.transforms.inputs import network_input
from carvana.transforms.protocol import build_transforms


@dataclass(frozen=True)
class Frame:
    """Where a photo lies in an image of the run's size, in its pixels.

    Attributes:
        top: first row.
        left: first column.
        height: rows.
        width: columns.
    """

    top: int
    left: int
    height: int
    width: int


def framed(photo_HWC: Image, size_HW: tuple[int, int]) -> tuple[Image, Frame]:
    """The photo, scaled to fit into the size without distortion, in its middle; the rest continues the photo's edge.

    Args:
        photo_HWC: (H, W, 3) uint8.
        size_HW: of the result.
    """
    scale = min(size_HW[0] / photo_HWC.shape[0], size_HW[1] / photo_HWC.shape[1])
    height, width = (max(1, round(side * scale)) for side in photo_HWC.shape[:2])
    frame = Frame((size_HW[0] - height) // 2, (size_HW[1] - width) // 2, height, width)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    below, right = size_HW[0] - height - frame.top, size_HW[1] - width - frame.left
    scaled_HWC = cv2.resize(photo_HWC, (width, height), interpolation=how)
    bordered_HWC = cv2.copyMakeBorder(scaled_HWC, frame.top, below, frame.left, right, cv2.BORDER_REPLICATE)
    return bordered_HWC.astype(np.uint8, copy=False), frame


def unframed(map_HW: Levels, frame: Frame, size_HW: tuple[int, int]) -> BoolMask:
    """The photo's (H, W) mask from the levels, 0..255, of the image that it was framed in: from 128 on."""
    inside_HW = map_HW[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]
    mask_HW: BoolMask = cv2.resize(inside_HW, size_HW[::-1], interpolation=cv2.INTER_LINEAR) >= THRESHOLD
    return mask_HW


def cut_out(photo_HWC: Image, mask_HW: BoolMask) -> Pixels:
    """(H, W, 4) uint8 in blue, green, red and opacity: the car, with all else transparent."""
    opacity_HW = np.where(mask_HW, np.uint8(255), np.uint8(0))
    return np.dstack([photo_HWC, opacity_HW])


def masks_of_photos(photos: Sequence[Image], run: TrainedRun, device: torch.device) -> list[BoolMask]:
    """The ensemble's mask of each photo, at its own size; all photos and maps are in memory at once.

    Args:
        photos: (H, W, 3) uint8 in blue, green, red, of any sizes.
        run: whose networks.
        device: that they run on.

    Raises:
        UserError: a file holds no weights of its model and fold.
    """
    configure(torch.get_num_threads(), run.precision)
    inside = [framed(photo_HWC, run.geometry.image_size) for photo_HWC in photos]
    sums: list[dict[str, Sums]] = [{} for _ in photos]
    for model, files in run.weights.items():
        recipe = load_recipe(model, edition=run.edition)
        networks = load_networks(recipe, list(files.values()), device, list(files))
        forwards = [forward_in(network, run.precision, device) for network in networks]
        transforms = build_transforms(recipe, run.geometry)
        for of_photo, (image_HWC, _) in zip(sums, inside, strict=True):
            prepared_NHWC = torch.from_numpy(transforms.predict(image_HWC))[None].to(device)
            (image_3HW,) = network_input(prepared_NHWC, transforms.normalised)
            of_photo[model] = sum_of_maps(forwards, image_3HW, recipe, run.geometry.image_size)
    return [
        unframed(_ensemble(of_photo, run), frame, (photo_HWC.shape[0], photo_HWC.shape[1]))
        for of_photo, (_, frame), photo_HWC in zip(sums, inside, photos, strict=True)
    ]


def _ensemble(sums: Mapping[str, Sums], run: TrainedRun) -> Levels:
    """What is cut at 128, see `postprocess.Ensembled`."""
    merged = recipe_maps(sums, {model: len(files) for model, files in run.weights.items()}, run.edition)
    mean_HW = mean(list(merged.values()))
    return postprocess.apply(mean_HW, merged["linknet34"], run.geometry).levels
