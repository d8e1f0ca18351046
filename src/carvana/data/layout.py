"""Kaggle's files in a user's folder, packed or not; nothing of the user's changes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from carvana.data.archives import unpack
from carvana.data.visible import innermost
from carvana.errors import UserError

# Of what Kaggle's files are called, packed or not.
ENDINGS: Final = ("", ".zip", ".csv", ".csv.zip")
LAYOUT: Final = "train_hq, train_masks, test_hq (folders or .zip), metadata.csv, sample_submission.csv (or .csv.zip)"


def find_images(folder: Path, name: str, cache: Path) -> Path:
    """The folder with the files of `train_hq`, `train_masks` or `test_hq`.

    An unpacked folder is preferred to a zip. A folder that holds nothing but one folder, as zips often do, stands for
    that inner folder.

    Args:
        folder: the user's data in Kaggle's layout; never written to.
        name: `train_hq`, `train_masks` or `test_hq`.
        cache: where a zip is unpacked, once for the same content.

    Raises:
        UserError: neither there, or the zip is damaged or unsafe.
    """
    found = folder / name
    if not found.is_dir():
        archive = folder / f"{name}.zip"
        if not archive.is_file():
            raise _not_found(folder, f"{name}/ or {name}.zip")
        found = unpack(archive, cache)
    return innermost(found)


def find_table(folder: Path, name: str, cache: Path) -> Path:
    """The file `<name>.csv`, unpacked from `<name>.csv.zip` if need be.

    Args:
        folder: the user's data in Kaggle's layout; never written to.
        name: `metadata` or `sample_submission`.
        cache: where a zip is unpacked, once for the same content.

    Raises:
        UserError: neither there, or the zip is damaged, unsafe or without the file.
    """
    table = folder / f"{name}.csv"
    if table.is_file():
        return table
    archive = folder / f"{name}.csv.zip"
    if not archive.is_file():
        raise _not_found(folder, f"{name}.csv or {name}.csv.zip")
    unpacked = sorted(unpack(archive, cache).rglob(f"{name}.csv"))
    if len(unpacked) != 1:
        raise UserError(f"{archive}: expected one {name}.csv inside, found {len(unpacked)}; download the archive again")
    return unpacked[0]


def _not_found(folder: Path, wanted: str) -> UserError:
    if not folder.is_dir():
        return UserError(f"{folder}: no such folder; give the folder that holds Kaggle's files: {LAYOUT}")
    return UserError(f"{folder}: no {wanted}; the data folder needs Kaggle's layout: {LAYOUT}")
