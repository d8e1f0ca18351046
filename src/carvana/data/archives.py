"""Zips from elsewhere: checked before anything of them is written, and unpacked whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from carvana.data.staging import staging
from carvana.data.visible import is_ignored
from carvana.errors import UserError

# What reading a broken zip raises. zipfile answers NotImplementedError to a header that asks for patched data, strong
# encryption or a later version of the format: one flipped bit is enough, and Kaggle's archives ask for none of these.
# The file errors come of an entry that is both a file and a folder.
_DAMAGES: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    FileExistsError,
    NotADirectoryError,
)


_CHUNK_BYTES: Final = 1 << 20


class DamagedArchiveError(UserError):
    """An archive that is not whole; the same archive from elsewhere may be."""


@dataclass(frozen=True)
class UnpackLimits:
    """What an archive may unpack to; the defaults leave the competition's own archives (100,064 images) room.

    Attributes:
        files: number of files.
        file_bytes: size of one file.
        total_bytes: size of all files.
        ratio: all files' size over the archive's; JPEG, GIF and CSV files stay far below.
    """

    files: int = 200_000
    file_bytes: int = 64 * 2**20
    total_bytes: int = 64 * 2**30
    ratio: int = 100


COMPETITION_LIMITS: Final = UnpackLimits()


def unpack(archive: Path, cache: Path, limits: UnpackLimits = COMPETITION_LIMITS) -> Path:
    """Unpack a zip into a folder under `cache`, named after the archive and its content, and return that folder.

    The folder appears whole or not at all; if it is there already, nothing is done.

    Raises:
        DamagedArchiveError: damaged, or not a zip.
        UserError: encrypted, beyond the limits, no disk space, or with entries that are links or would lie outside the
            folder.
    """
    with _opened(archive) as opened:
        _check_members(archive, opened.infolist(), limits)
        members = [member for member in opened.infolist() if not _is_ignored_member(member)]
        target = cache / f"{archive.stem}-{_listing_digest(members)[:16]}"
        if not target.is_dir():
            _check_disk_space(archive, members, cache)
            try:
                _unpack_members(opened, members, target)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                raise UserError(f"{archive}: the disk of {cache} is full; make room and run again") from None
        return target


def check_archive(archive: Path, advance: Callable[[int], object] = lambda size: None) -> int:
    """Read every file in a zip and compare it with its checksum; nothing is written.

    Args:
        archive: the zip; beyond `COMPETITION_LIMITS` it is not read.
        advance: told the packed size of each file once it is read.

    Returns:
        The number of files.

    Raises:
        DamagedArchiveError: damaged, or not a zip.
        UserError: as `unpack`.
    """
    with _opened(archive) as opened:
        _check_members(archive, opened.infolist(), COMPETITION_LIMITS)
        files = [member for member in opened.infolist() if not member.is_dir()]
        for member in files:
            with opened.open(member) as source:
                while source.read(_CHUNK_BYTES):
                    pass
            advance(member.compress_size)
        return len(files)


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened
    except (*_DAMAGES, OSError) as error:
        # A place in front of the file's beginning, where a damaged directory has an entry, is an invalid argument.
        if not isinstance(error, _DAMAGES) and error.errno != errno.EINVAL:
            raise
        raise DamagedArchiveError(f"{archive} is damaged or not a zip archive ({error}); download it again") from error


def _unpack_members(opened: zipfile.ZipFile, members: Iterable[zipfile.ZipInfo], target: Path) -> None:
    with staging(target.parent) as folder:
        for member in members:
            path = folder / member.filename
            if member.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(member) as source, path.open("xb") as sink:
                shutil.copyfileobj(source, sink)
        # Else a power cut could leave the folder with empty files: one flush of the disk instead of 100,064.
        os.sync()
        try:
            folder.rename(target)
        except OSError:
            # Another process was faster with the same content.
            if not target.is_dir():
                raise


def _check_members(archive: Path, members: list[zipfile.ZipInfo], limits: UnpackLimits) -> None:
    seen: set[str] = set()
    for member in members:
        reason = _unsafe(member)
        if reason is None and member.filename.casefold() in seen:
            reason = "comes twice"
        if reason is not None:
            raise UserError(
                f"{archive}: entry {member.filename!r} {reason}; use the archive that Kaggle publishes,"
                " or unpack it yourself"
            )
        seen.add(member.filename.casefold())
    total = sum(member.file_size for member in members)
    if (
        len(members) > limits.files
        or total > limits.total_bytes
        or any(member.file_size > limits.file_bytes for member in members)
        or total > limits.ratio * archive.stat().st_size
    ):
        raise UserError(
            f"{archive} would unpack to {len(members):,} files of {total:,} bytes, which is more than the competition's"
            " archives hold; use the archive that Kaggle publishes, or unpack it yourself"
        )


def _unsafe(member: zipfile.ZipInfo) -> str | None:
    name = member.filename
    # ZipInfo cuts names at a NUL; the original name shows what was written.
    if "\\" in name or ":" in name or "\0" in member.orig_filename:
        return "has a name that is not portable"
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        return "would lie outside the folder it is unpacked into"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a special file"
    if member.flag_bits & 0x1:
        return "is encrypted"
    # zipfile unpacks other methods without a bound on memory.
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed by another method than Kaggle's are"
    return None


def _check_disk_space(archive: Path, members: Iterable[zipfile.ZipInfo], cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    needed, free = sum(member.file_size for member in members), shutil.disk_usage(cache).free
    if needed > free:
        raise UserError(
            f"{archive} needs {needed / 2**30:.1f} GiB unpacked and {cache} has {free / 2**30:.1f} GiB free;"
            " make room, or unpack it elsewhere and give that folder as the data"
        )


def _listing_digest(members: Iterable[zipfile.ZipInfo]) -> str:
    """Identifies the archive's content by its names, sizes and checksums, without reading the files."""
    digest = hashlib.sha256()
    for member in members:
        digest.update(f"{member.filename}\0{member.file_size}\0{member.CRC}\n".encode())
    return digest.hexdigest()


def _is_ignored_member(member: zipfile.ZipInfo) -> bool:
    return any(is_ignored(part) for part in PurePosixPath(member.filename).parts)
