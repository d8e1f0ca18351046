"""The text of a table that may be packed; rubbish is refused, and no file is read into memory whole."""

from __future__ import annotations

import contextlib
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast

from carvana.errors import UserError

# The longest RLE that an image of the competition can have takes 12 MiB; what has a longer line is no table.
LONGEST_LINE: Final = 64 * 2**20

_READ_AT_ONCE: Final = 2**18

_BEGINS: Final = {".gz": b"\x1f\x8b", ".zip": b"PK"}
_SYSTEM_FOLDER: Final = "__MACOSX"

# What reading damaged text or archives raises; RuntimeError: an archive that is encrypted, or packed in an unknown way.
DAMAGES: Final = (
    OSError,
    EOFError,
    RuntimeError,
    UnicodeDecodeError,
    zlib.error,
    zipfile.BadZipFile,
)


@contextlib.contextmanager
def opened_table(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a `.csv`, a `.csv.gz`, or the one `.csv` in a `.zip`, as its name says; ends of lines are kept.

    Raises:
        UserError: it is empty, a web page, not packed as its name says, or a zip of none or several tables.
        One of `DAMAGES`: it cannot be read, here or while the lines are taken; or a line is longer than `LONGEST_LINE`.
    """
    with contextlib.ExitStack() as closing:
        stream: BinaryIO = closing.enter_context(path.open("rb"))
        _check_beginning(path, stream)
        if path.suffix == ".gz":
            stream = cast(BinaryIO, closing.enter_context(gzip.open(stream)))
        elif path.suffix == ".zip":
            archive = closing.enter_context(zipfile.ZipFile(stream))
            stream = cast(BinaryIO, closing.enter_context(archive.open(_only_table(path, archive))))
        yield _lines(closing.enter_context(io.BufferedReader(cast(io.RawIOBase, stream), _READ_AT_ONCE)))


def _check_beginning(path: Path, stream: BinaryIO) -> None:
    beginning = stream.read(512)
    stream.seek(0)
    expected = _BEGINS.get(path.suffix)
    if not beginning:
        reason = "is empty"
    elif beginning.lstrip()[:1] == b"<":
        reason = "is a web page, not a table"
    elif expected and not beginning.startswith(expected):
        reason = f"is not a {path.suffix} file, whatever its name says"
    elif not expected and beginning.startswith(tuple(_BEGINS.values())):
        reason = "is packed; name it .csv.gz or .zip as it is packed"
    else:
        return
    raise UserError(f"{path} {reason}; make it again or, if it was downloaded, download it again")


def _only_table(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [
        member
        for member in archive.infolist()
        if not member.is_dir() and PurePosixPath(member.filename).parts[0] != _SYSTEM_FOLDER
    ]
    if len(files) != 1 or not files[0].filename.endswith(".csv"):
        names = ", ".join(member.filename for member in files[:10]) or "nothing"
        raise UserError(f"{path} should hold one .csv file; it holds {names}")
    return files[0]


def _lines(stream: BinaryIO) -> Iterator[str]:
    # A text stream looks for every kind of line end at every place: a fifth more time, decompression included.
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise OSError(f"a line of more than {LONGEST_LINE / 2**20:.0f} MiB")
        if b"\r" in line:
            yield from (part.decode() for part in line.splitlines(keepends=True))
        else:
            yield line.decode()
