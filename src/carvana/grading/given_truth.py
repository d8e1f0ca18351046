"""The true masks that a submission is scored against, from whichever form they are at hand in."""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tqdm import tqdm

from carvana import rle
from carvana.data.archives import unpack
from carvana.data.masks import read_mask
from carvana.data.visible import innermost, visible_entries
from carvana.errors import UserError
from carvana.geometry import Geometry
from carvana.grading.truth import Truth, has_usage, hidden_truth
from carvana.mask_runs import Runs, runs_of_mask
from carvana.submission.mask_table import numbered_rows, read_masks

# The only part of a truth that is not split into public and private images.
ALL: Final = "All"
_MASK_ENDS: Final = "_mask.gif"


def read_truth(path: Path, geometry: Geometry) -> Mapping[str, Truth]:
    """The true masks by part (`Public` and `Private`, or `All`) and image name.

    Args:
        path: a folder, or a zip of one, with a `<name>_mask.gif` for each `<name>.jpg`; or a table of masks, `.csv`,
            `.csv.gz` or `.zip`, with the columns img, rle_mask and perhaps usage or Usage (Public, Private or
            Ignored).
        geometry: of the masks.

    Raises:
        UserError: none of these, damaged, without a mask, without a car, or of another geometry.
    """
    truth: Mapping[str, Truth]
    if path.is_dir():
        truth = {ALL: _masks_in(path, geometry)}
    elif _holds_masks(path):
        with tempfile.TemporaryDirectory() as folder:
            truth = {ALL: _masks_in(unpack(path, Path(folder)), geometry)}
    elif has_usage(next(numbered_rows(path))[1]):
        truth = hidden_truth(path, geometry)
    else:
        truth = {ALL: _masks_of(path, geometry)}
    if not any(truth.values()):
        raise UserError(f"{path} has no mask to score against; give a table of masks, or a folder of *{_MASK_ENDS}")
    if not any(_is_drawn(mask) for masks in truth.values() for mask in masks.values()):
        raise UserError(
            f"{path} shows no car in any image: is it a submission without predictions, as sample_submission.csv is?"
            " Name the true masks"
        )
    return truth


def _is_drawn(mask: Runs) -> bool:
    """Whether the mask is more than nothing or the one pixel of Kaggle's example."""
    return int((mask[:, 1] - mask[:, 0]).sum()) > 1


def _holds_masks(path: Path) -> bool:
    if not path.is_file():
        # What is read of a pipe is gone.
        return False
    with contextlib.suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        return any(name.endswith(_MASK_ENDS) for name in archive.namelist())
    return False


def _masks_in(folder: Path, geometry: Geometry) -> dict[str, Runs]:
    masks = {}
    for entry in tqdm(visible_entries(innermost(folder)), desc="true masks", unit="mask", disable=None):
        if not entry.name.endswith(_MASK_ENDS):
            continue
        mask_HW = read_mask(Path(entry))
        if mask_HW.shape != geometry.image_size:
            raise UserError(
                f"{entry.path} is {mask_HW.shape[1]} pixels wide and {mask_HW.shape[0]} high; masks of the geometry"
                f" {geometry.name} are {geometry.image_size[1]} and {geometry.image_size[0]}"
            )
        masks[entry.name.removesuffix(_MASK_ENDS) + ".jpg"] = runs_of_mask(mask_HW)
    return masks


def _masks_of(table: Path, geometry: Geometry) -> dict[str, Runs]:
    masks = {}
    try:
        for name, runs in rle.runs_of_rows(read_masks(table), geometry.image_size):
            if name in masks:
                raise UserError(f"{table}: {name} has a second mask")
            masks[name] = runs.copy()
    except ValueError as error:
        raise UserError(f"{table}: {error}") from None
    return masks
