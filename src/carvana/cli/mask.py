"""Cut the car out of photos with a finished run's networks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from carvana.cli.folders import check_run, check_writable
from carvana.computing.usable import free_gpu_or_cpu
from carvana.data.images import read_image
from carvana.data.visible import visible_entries
from carvana.errors import UserError
from carvana.photo import cut_out, masks_of_photos
from carvana.picture import write_picture
from carvana.trained_run import trained_run

_SUFFIXES: Final = (".jpg", ".jpeg", ".png")
# Each model's networks are loaded once for so many photos, whose maps are in memory together.
_AT_ONCE: Final = 16
_OTHERS_TOLD: Final = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("photo", type=Path, help="JPEG or PNG of a car, of any size, or a folder of such")
    parser.add_argument("--run", dest="results", type=Path, required=True, help="folder of a finished run")
    parser.add_argument("--out", type=Path, help="folder to write into (default: <run>/photos)")


def run(given: argparse.Namespace) -> None:
    """Write `<photo>_mask.png` and `<photo>_cutout.png` for each photo.

    Raises:
        UserError: a photo is unreadable or would be overwritten, there is no finished run, or no file can be written.
    """
    paths = photos_in(given.photo)
    check_run(given.results)
    trained = trained_run(given.results)
    folder = given.out or given.results / "photos"
    _check_kept(paths, folder)
    check_writable([file for path in paths for file in _written(folder, path)])
    device = free_gpu_or_cpu(trained.precision)
    for first in range(0, len(paths), _AT_ONCE):
        some = paths[first : first + _AT_ONCE]
        photos = [read_image(path) for path in some]
        for path, photo_HWC, mask_HW in zip(some, photos, masks_of_photos(photos, trained, device), strict=True):
            mask, cutout = _written(folder, path)
            write_picture(mask, np.where(mask_HW, np.uint8(255), np.uint8(0)))
            write_picture(cutout, cut_out(photo_HWC, mask_HW))
            print(f"{mask} and {cutout.name}: {mask_HW.mean():.1%} of the photo is car")


def _written(folder: Path, photo: Path) -> tuple[Path, Path]:
    return folder / f"{photo.stem}_mask.png", folder / f"{photo.stem}_cutout.png"


def _check_kept(photos: Sequence[Path], folder: Path) -> None:
    """Raises UserError where a file that is to be written has the name of a photo, under whichever path."""
    given = {named: photo for photo in photos for named in (photo.parent.resolve() / photo.name, photo.resolve())}
    for photo in photos:
        for file in _written(folder.resolve(), photo):
            if file in given:
                raise UserError(
                    f"{photo} would be masked into {file.name}, which would overwrite the photo {given[file]}; name"
                    " another place with --out, or take one of the two away"
                )


def photos_in(path: Path) -> list[Path]:
    """The photo itself, or those in a folder, sorted; stderr lists other files. Raises UserError when there is none, or
    two of one name.
    """
    if path.is_file():
        return [path]
    found = [Path(entry) for entry in visible_entries(path) if not entry.name.startswith(".")] if path.is_dir() else []
    photos = [entry for entry in found if entry.suffix.lower() in _SUFFIXES and not entry.is_dir()]
    if not photos:
        raise UserError(f"{path}: no such photo, and no folder with {', '.join(_SUFFIXES)}")
    stems = [photo.stem for photo in photos]
    if twice := next((photo for photo in photos if stems.count(photo.stem) > 1), None):
        raise UserError(f"{path} has two photos called {twice.stem}; their masks would have one name")
    if others := [entry.name for entry in found if entry not in photos]:
        more = ", ..." if len(others) > _OTHERS_TOLD else ""
        print(
            f"{path}: only {', '.join(_SUFFIXES)} are photos; not looked at: {', '.join(others[:_OTHERS_TOLD])}{more}",
            file=sys.stderr,
        )
    return photos
