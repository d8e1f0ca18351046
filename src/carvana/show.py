"""One image as a finished run sees it: the photo, its true mask, each model's map, the ensemble's mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from carvana import rle
from carvana.arrays import Image, Map, Mask
from carvana.data.imageset import ImageSet
from carvana.data.manifest import read_manifest
from carvana.errors import UserError
from carvana.maps.merging import merge_rule
from carvana.maps.stores import open_store
from carvana.maps.threshold import THRESHOLD
from carvana.metrics import dice
from carvana.picture import captioned
from carvana.recipe_files import load_recipe, model_names
from carvana.report.pictures import contours_on, resized
from carvana.revision import ROOT
from carvana.submission.mask_table import read_masks
from carvana.trained_run import edition_of

_COLUMNS: Final = 4
_GAP: Final = 6


def picture_of_image(results: Path, name: str) -> Image:
    """Everything that a run knows of an image, as one picture with captions.

    Args:
        results: folder of the run.
        name: of a training or test image, such as `03a857ce842d_01.jpg`.

    Returns:
        uint8 in blue, green, red. A training image's maps are out of fold; a test image has no truth.

    Raises:
        UserError: the run has no such image, or is not finished; or its files are named from another working folder.
    """
    split = next((split for split in ("train", "test") if name in _images(results, split).manifest.by_name), None)
    if split is None:
        raise UserError(f"{name} is no image of {results}; {results / 'data'}/train.csv and test.csv list its images")
    images = _images(results, split)
    _check_working_folder(Path(images.manifest.by_name[name].file))
    image_HWC = images.image(name)
    truth_HW = images.mask(name) if split == "train" else None
    mask_HW = rle.decode(_ensemble(results, split, name), image_HWC.shape[:2])
    truth_too = "" if truth_HW is None else "truth green, "
    panels = [(contours_on(image_HWC, truth_HW, mask_HW), f"contours: {truth_too}ensemble orange")]
    if truth_HW is not None:
        panels.append((_of_mask(truth_HW), "true mask"))
    panels.append((_of_mask(mask_HW), "ensemble" + _judged(mask_HW, truth_HW)))
    for model, map_HW in _maps(results, split, name).items():
        grey_HWC = cv2.cvtColor(resized(map_HW, cv2.INTER_AREA), cv2.COLOR_GRAY2BGR).astype(np.uint8)
        panels.append((grey_HWC, model + _judged(map_HW >= THRESHOLD, truth_HW)))
    return _sheet([(resized(image_HWC, cv2.INTER_AREA), name), *panels])


def _check_working_folder(file: Path) -> None:
    """Runs name their images relative to the checkout. Raises UserError where one is looked for from elsewhere."""
    if not (file.is_absolute() or file.exists() or Path.cwd().samefile(ROOT)):
        raise UserError(
            f"{file} is looked for in {Path.cwd()}, which is not the folder of this checkout: run `cd {ROOT}` first"
        )


def _images(results: Path, split: str) -> ImageSet:
    return ImageSet(read_manifest(results / f"data/{split}.csv"))


def _ensemble(results: Path, split: str, name: str) -> str:
    for table in _oldest_first(results.glob(f"masks/ensemble/{split}*.csv"))[::-1]:
        for row, encoded in read_masks(table):
            if row == name:
                return encoded
    raise UserError(f"{results / 'masks/ensemble'} has no mask of {name}; finish the run first")


def _maps(results: Path, split: str, name: str) -> Mapping[str, Map]:
    """The image's merged 8-bit map by model, of the models that the run has."""
    found, edition = {}, edition_of(results)
    for model in model_names(edition):
        stores = results.glob(f"oof/{model}/maps.h5" if split == "train" else f"predictions/{model}/test-*.h5")
        for path in _oldest_first(stores):
            with open_store(path, "sums") as store:
                if name in store.names:
                    rule = merge_rule(load_recipe(model, edition=edition))
                    found[model] = rule.merged(store.read(name).astype(np.uint16), store.networks)
    return found


def _oldest_first(paths: Iterable[Path]) -> list[Path]:
    """Of another number of shards, or of other networks, older ones may lie beside those of now."""
    return sorted(paths, key=lambda path: path.stat().st_mtime_ns)


def _of_mask(mask_HW: Mask) -> Image:
    white_HW = np.where(mask_HW != 0, np.uint8(255), np.uint8(0))
    return cv2.cvtColor(resized(white_HW, cv2.INTER_NEAREST), cv2.COLOR_GRAY2BGR).astype(np.uint8)


def _judged(mask_HW: Mask, truth_HW: Mask | None) -> str:
    return "" if truth_HW is None else f": Dice {dice(mask_HW, truth_HW):.3f}"


def _sheet(panels: Sequence[tuple[Image, str]]) -> Image:
    framed = [np.pad(captioned(*panel), ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255) for panel in panels]
    framed += [np.full_like(framed[0], 255)] * (-len(framed) % _COLUMNS)
    return np.vstack([np.hstack(framed[first : first + _COLUMNS]) for first in range(0, len(framed), _COLUMNS)])
