"""One picture of what was predicted: image, truth and prediction side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from carvana import rle
from carvana.arrays import Image, Mask, Pixels
from carvana.data.imageset import ImageSet
from carvana.errors import UserError
from carvana.files import whole_file
from carvana.grading.dice import dice_by_image
from carvana.grading.truth import training_truth
from carvana.metrics import dice
from carvana.submission.mask_table import read_masks

# Blue, green, red.
TRUTH_COLOUR: Final = (80, 200, 80)
PREDICTION_COLOUR: Final = (60, 130, 255)
_LEAST_PANEL_WIDTH: Final = 570
_CAPTION_HEIGHT: Final = 30
_CAPTION_MARGIN: Final = 4
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE: Final = 0.6
_GAP: Final = 6


def representative_image(masks: Path, images: ImageSet) -> str:
    """Name of the training image whose Dice is the median: neither a lucky nor an unlucky one. Images without a mask,
    as where a model has some folds' networks only, do not count.

    Args:
        masks: table of masks of the training images.
        images: the training images.

    Raises:
        UserError: the table is missing or damaged.
    """
    by_name = dice_by_image([masks], training_truth(images.manifest), partial=True)
    return sorted(by_name, key=lambda name: (by_name[name], name))[len(by_name) // 2]


def picture_of(name: str, masks: Path, images: ImageSet) -> Image:
    """`side_by_side` of a training image and its mask in a table of masks.

    Raises:
        UserError: the table has no well-formed mask of the image.
    """
    image_HWC = images.image(name)
    encoded = next(encoded for row, encoded in read_masks(masks) if row == name)
    return side_by_side(image_HWC, images.mask(name), rle.decode(encoded, image_HWC.shape[:2]))


def side_by_side(image_HWC: Image, truth_HW: Mask, prediction_HW: Mask) -> Image:
    """Image, truth and prediction as one picture with captions; the two masks are tinted and outlined.

    Args:
        image_HWC: (H, W, 3) uint8 in blue, green, red.
        truth_HW: (H, W), set where not 0.
        prediction_HW: likewise.

    Returns:
        uint8 in blue, green, red; small images are enlarged.
    """
    agreement = f"prediction, Dice {dice(truth_HW, prediction_HW):.4f}"
    panels = [
        captioned(_enlarged(image_HWC), "image"),
        captioned(_marked(image_HWC, truth_HW, TRUTH_COLOUR), "truth"),
        captioned(_marked(image_HWC, prediction_HW, PREDICTION_COLOUR), agreement),
    ]
    gap = np.full((panels[0].shape[0], _GAP, 3), 255, np.uint8)
    return np.hstack([panels[0], gap, panels[1], gap, panels[2]])


def write_picture(path: Path, picture: Pixels) -> None:
    """Write a picture as its name says, `.png` or `.jpg`. Raises UserError for another name."""
    kind = path.suffix.lower()
    if kind not in (".png", ".jpg"):
        raise UserError(f"{path}: a picture is written as .png or .jpg")
    _, encoded = cv2.imencode(kind, picture)
    with whole_file(path) as partial:
        partial.write_bytes(encoded.tobytes())


def _enlarged(pixels: Pixels) -> Pixels:
    factor = -(-_LEAST_PANEL_WIDTH // pixels.shape[1])
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


def _marked(image_HWC: Image, mask_HW: Mask, colour: tuple[int, int, int]) -> Image:
    picture_HWC = _enlarged(image_HWC)
    enlarged_HW = _enlarged((mask_HW != 0).astype(np.uint8))
    tinted = enlarged_HW > 0
    picture_HWC[tinted] = (0.65 * picture_HWC[tinted] + 0.35 * np.array(colour)).astype(np.uint8)
    contours, _ = cv2.findContours(enlarged_HW, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture_HWC, contours, -1, colour, thickness=2)
    return picture_HWC


def captioned(picture_HWC: Image, caption: str) -> Image:
    """The picture under a line of text, which is as large as fits."""
    bar = np.full((_CAPTION_HEIGHT, picture_HWC.shape[1], 3), 255, np.uint8)
    (width, _), _ = cv2.getTextSize(caption, _FONT, _FONT_SCALE, 1)
    scale = _FONT_SCALE * min(1, (picture_HWC.shape[1] - 2 * _CAPTION_MARGIN) / max(width, 1))
    cv2.putText(bar, caption, (_CAPTION_MARGIN, 21), _FONT, scale, (40, 40, 40), 1, cv2.LINE_AA)
    return np.vstack([bar, picture_HWC])
