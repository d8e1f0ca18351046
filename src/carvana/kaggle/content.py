"""What is known of a file's content once all of it was read."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tqdm import tqdm

from carvana.data.archives import check_archive
from carvana.kaggle.client import RemoteFile

_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class Record:
    """A verified file.

    Attributes:
        file: its name in the folder.
        bytes: its size.
        sha256: of its content.
        members: number of files in it, if it is a zip; every one agreed with its checksum.
        verified: when, ISO 8601, UTC.
        modified_ns: the file's time of modification then; the same size and time later mean that it is unchanged.
    """

    file: str
    bytes: int
    sha256: str
    members: int | None
    verified: str
    modified_ns: int


class WrongContentError(Exception):
    """What arrived is not the file; another attempt may bring it."""


def verified(path: Path, remote: RemoteFile, columns: Sequence[str], quiet: bool) -> Record:
    """The record of a file that is as Kaggle lists it.

    Args:
        path: of the file.
        remote: as it is listed.
        columns: that it begins with, if it is a table and no zip.
        quiet: no progress bar.

    Raises:
        WrongContentError: it is not as listed, or no such table.
        DamagedArchiveError: a checksum in a zip does not agree.
        UserError: the zip is unsafe.
    """
    before = path.stat()
    if before.st_size != remote.bytes and remote.bytes:
        with path.open("rb") as stream:
            start = stream.read(64).lstrip().lower()
        page = " of a web page" if start.startswith((b"<!doctype html", b"<html")) else ""
        raise WrongContentError(f"it has {before.st_size:,} bytes{page}, and Kaggle lists {remote.bytes:,}")
    with tqdm(
        total=2 * before.st_size, desc=f"verifying {remote.name}", unit="B", unit_scale=True, disable=quiet
    ) as bar:
        sha256 = sha256_while(path, bar.update)
        if remote.name.endswith(".zip"):
            members = check_archive(path, advance=bar.update)
            if not members:
                raise WrongContentError("it is an empty archive")
        else:
            members = None
            _check_table(path, columns)
    return Record(
        file=remote.name,
        bytes=before.st_size,
        sha256=sha256,
        members=members,
        verified=datetime.now(UTC).isoformat(timespec="seconds"),
        modified_ns=before.st_mtime_ns,
    )


def agrees(size: int, mebibytes: float) -> bool:
    """Whether a size in bytes is the published number of MiB, which has three digits."""
    return float(f"{size / 2**20:.3g}") == mebibytes


def sha256_while(path: Path, advance: Callable[[int], object]) -> str:
    """SHA-256 of a file, in hexadecimal; `advance` is told the bytes that were read."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()


def _check_table(path: Path, columns: Sequence[str]) -> None:
    """A CSV carries no checksum: beyond its size, only its form can be checked."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = csv.reader(stream, strict=True)
            header = next(rows, [])
            if tuple(header[: len(columns)]) != tuple(columns):
                raise WrongContentError(f"its first line is not that of a table with {', '.join(columns)}")
            if any(len(row) != len(header) for row in rows):
                raise WrongContentError("its rows differ in length")
    except (UnicodeDecodeError, csv.Error) as error:
        raise WrongContentError(f"it is not a table ({error})") from None
