"""The text of a table that may be packed; rubbish is refused, and no file is read into memory whole."""

from __future__ import annotations

import contextlib
import itertools
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from carvana.errors import UserError
from carvana.overlap import overlapped

# The longest RLE that an image of the competition can have takes 12 MiB; what has a longer line is no table.
LONGEST_LINE: Final = 64 * 2**20

# Large enough for a thread that unpacks not to wait long, each time, until it may say that it has.
_READ_AT_ONCE: Final = 2**19
# What was packed to a thousandth of its size is unpacked bit by bit.
_UNPACKED_AT_ONCE: Final = 2**22
_AHEAD: Final = 4

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
        stream: IO[bytes] = closing.enter_context(path.open("rb"))
        _check_beginning(path, stream)
        if path.suffix == ".zip":
            archive = closing.enter_context(zipfile.ZipFile(stream))
            stream = closing.enter_context(archive.open(_only_table(path, archive)))
        blocks = iter(lambda: stream.read(_READ_AT_ONCE), b"")
        if path.suffix == ".gz":
            blocks = _unpacked(blocks)
        if path.suffix in _BEGINS:
            blocks = closing.enter_context(contextlib.closing(_in_a_thread(blocks)))
        yield _lines(blocks)


def _in_a_thread(blocks: Iterator[bytes]) -> Generator[bytes]:
    """The blocks, unpacked while earlier ones are worked on: a third less time for scoring a submission."""
    results = overlapped(lambda _: next(blocks, None), itertools.repeat(None), workers=1, ahead=_AHEAD)
    with contextlib.closing(results):
        for block in results:
            if block is None:
                return
            yield block


def _unpacked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The text of a gzip file, block by block: the gzip module, which reads 8 KiB at a time, takes a quarter more time.

    Raises:
        zlib.error, EOFError: it is damaged or not whole.
    """
    member = None
    for block in blocks:
        full = False
        while block or full:
            member = member or zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            text = member.decompress(block, _UNPACKED_AT_ONCE)
            yield text
            block, full = member.unconsumed_tail, len(text) == _UNPACKED_AT_ONCE
            if member.eof:
                # Zeros may follow a member, as may another one.
                block, full = member.unused_data.lstrip(b"\0"), False
                member = None
    if member:
        raise EOFError("its end is missing")


def _check_beginning(path: Path, stream: IO[bytes]) -> None:
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


def _lines(blocks: Iterable[bytes]) -> Iterator[str]:
    lines = [b""]
    for block in blocks:
        # Of bytes, not of text: that has other ends of lines too. The last may go on in the next block.
        lines = _split(lines[-1] + block)
        if max(map(len, lines)) > LONGEST_LINE:
            raise OSError(f"a line of more than {LONGEST_LINE / 2**20:.0f} MiB")
        yield from (line.decode() for line in lines[:-1])
    if lines[-1]:
        yield lines[-1].decode()


def _split(block: bytes) -> list[bytes]:
    """The lines of a block, with their ends; the last one may be empty.

    What `bytes.splitlines` finds, in a third of its time: that looks at each byte by itself.
    """
    lines, start = [], 0
    while end := block.find(b"\n", start) + 1:
        line = block[start:end]
        if 0 <= line.find(b"\r") < len(line) - len(b"\r\n"):
            lines += line.splitlines(keepends=True)
        else:
            lines.append(line)
        start = end
    return lines + (block[start:].splitlines(keepends=True) or [b""])
