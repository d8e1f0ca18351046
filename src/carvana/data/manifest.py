"""The list of images of a run, with what was found when they were taken in."""

from __future__ import annotations

import csv
import functools
import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Final

from carvana.errors import UserError
from carvana.files import write_table
from carvana.geometry import FULL


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image; the fields are the manifest file's columns.

    Attributes:
        name: `<car>_<view>.jpg`.
        car: 12 hexadecimal digits.
        view: 1..16.
        bytes: size of the user's image file.
        width: of the user's image, in pixels.
        height: of the user's image, in pixels.
        sha256: of the user's image file.
        file: where the pixels of this run's geometry are, as given at intake (relative to the same working folder).
        mask: the same for the mask, empty in the test set.
        mask_sha256: of the user's mask file, empty in the test set.
        area: number of car pixels in `mask`, none in the test set.
    """

    name: str
    car: str
    view: int
    bytes: int
    width: int
    height: int
    sha256: str
    file: str
    mask: str
    mask_sha256: str
    area: int | None


COLUMNS: Final = tuple(field.name for field in fields(ImageRecord))


@dataclass(frozen=True)
class Manifest:
    """Images, sorted by name, each name once."""

    records: tuple[ImageRecord, ...]

    def __post_init__(self) -> None:
        if any(first.name >= second.name for first, second in zip(self.records, self.records[1:], strict=False)):
            raise ValueError("a manifest's images are sorted by name and named once")

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[ImageRecord]:
        return iter(self.records)

    @functools.cached_property
    def by_name(self) -> dict[str, ImageRecord]:
        """The records by image name, in the manifest's order."""
        return {record.name: record for record in self.records}

    @property
    def names(self) -> tuple[str, ...]:
        """Image names, sorted."""
        return tuple(self.by_name)

    @property
    def cars(self) -> tuple[str, ...]:
        """Car ids, sorted, each once."""
        return tuple(dict.fromkeys(record.car for record in self.records))


def still_there(file: str) -> Path:
    """The path of an image or a mask that a manifest lists. Raises UserError where it has gone since."""
    path = Path(file)
    if not path.exists():
        raise UserError(
            f"{path} is not there any more: put it back, or add `--forcerun intake` to the command, and all images are"
            " taken in anew"
        )
    return path


def require_unchanged(records: Iterable[ImageRecord], manifest: Path, geometry: str) -> None:
    """Check, by their times, that nobody has changed files since they were taken in: what is computed of them is kept
    under the digests that they had. Smaller images than the user's are our own, and are read anew for that.

    Args:
        records: of the images that are about to be used.
        manifest: the file that lists them.
        geometry: of the run.

    Raises:
        UserError: a file was changed, or has gone.
    """
    if geometry != FULL.name:
        return
    # A disk's clock can be ahead, or have another time zone: of a time to come nothing is known.
    taken_in, now = manifest.stat().st_mtime_ns, time.time_ns()
    for record in records:
        for path in (still_there(file) for file in (record.file, record.mask) if file):
            if taken_in < path.stat().st_mtime_ns <= now:
                raise UserError(
                    f"{path} was changed after the images were taken in: add `--forcerun intake` to the command, which"
                    " looks at all of them again; what was computed of other images stays what it is"
                )


def content_digest(manifest: Manifest) -> str:
    """SHA-256, in hexadecimal, of the images' names and of their and their masks' bytes, wherever the files lie."""
    digest = hashlib.sha256()
    for record in manifest:
        digest.update(f"{record.name} {record.sha256} {record.mask_sha256}\n".encode())
    return digest.hexdigest()


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write the manifest as CSV; the file appears whole or not at all."""
    write_table(path, COLUMNS, (astuple(record) for record in manifest))


def read_manifest(path: Path) -> Manifest:
    """Read what `write_manifest` wrote.

    Raises:
        UserError: no such file, or not a manifest.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream, strict=True))
        if not rows or tuple(rows[0]) != COLUMNS:
            raise ValueError(f"expected the columns {', '.join(COLUMNS)}")
        return Manifest(tuple(_parse_row(row) for row in rows[1:]))
    except FileNotFoundError:
        raise UserError(f"{path}: no such manifest; the data intake (workflow/scripts/intake.py) makes it") from None
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path} is not a manifest: {error}; delete it and run the data intake again") from error


def _parse_row(row: list[str]) -> ImageRecord:
    if len(row) != len(COLUMNS):
        raise ValueError(f"a row has {len(row)} columns, expected {len(COLUMNS)}")
    name, car, view, size, width, height, sha256, file, mask, mask_sha256, area = row
    return ImageRecord(
        name=name,
        car=car,
        view=int(view),
        bytes=int(size),
        width=int(width),
        height=int(height),
        sha256=sha256,
        file=file,
        mask=mask,
        mask_sha256=mask_sha256,
        area=int(area) if area else None,
    )
