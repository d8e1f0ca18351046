"""Images that are left out of training: those that a person has marked in a table, such as the report's mask audit."""

from __future__ import annotations

import csv
from collections.abc import Set
from pathlib import Path
from typing import Final

from carvana.data.manifest import Manifest
from carvana.errors import UserError

COLUMN: Final = "exclude"


def read_exclusions(path: Path, manifest: Manifest) -> Set[str]:
    """Names of the images whose row has `exclude` 1.

    Args:
        path: CSV with the columns img and exclude (0 or 1); further columns are not looked at.
        manifest: of the training images.

    Raises:
        UserError: no such file or columns, another value, or an image that is not a training image.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            marks = {row["img"]: row[COLUMN].strip() for row in csv.DictReader(stream, strict=True)}
    except OSError as error:
        raise UserError(
            f"{path}: {error.strerror}; data.exclude names a table with the columns img, {COLUMN}"
        ) from None
    except (KeyError, AttributeError, ValueError, csv.Error) as error:
        raise UserError(f"{path} is not a table with the columns img, {COLUMN} ({error!r})") from None
    if wrong := sorted(name for name, mark in marks.items() if mark not in ("0", "1")):
        raise UserError(f"{path}: {COLUMN} of {wrong[0]} is {marks[wrong[0]]!r}; write 1 to leave an image out, else 0")
    if unknown := sorted(marks.keys() - manifest.by_name.keys()):
        raise UserError(f"{path}: {unknown[0]} is not a training image ({len(unknown)} such)")
    return {name for name, mark in marks.items() if mark == "1"}
