"""The text of a table that may be compressed; junk is refused, and files are read block by block."""

from __future__ import annotations

import contextlib
import itertools
import lzma
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Final

from carvana.errors import UserError
from carvana.overlap import overlapped
from carvana.reading import LONGEST_LINE

# Large enough that handing a block from one thread to another costs little.
_READ_AT_ONCE: Final = 2**19
# What was packed to a thousandth of its size is unpacked bit by bit.
_UNPACKED_AT_ONCE: Final = 2**22
_AHEAD: Final = 4

_BEGINS: Final = {".gz": b"\x1f\x8b", ".zip": b"PK"}
_PLAIN: Final = (".csv", "")
_SYSTEM_FOLDER: Final = "__MACOSX"

# Excel's "CSV UTF-8" begins with the first; zeros are in all that UTF-16 and UTF-32 write of plain letters.
_MARK: Final = b"\xef\xbb\xbf"
_OTHER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_LOOKED_AT: Final = 4

# What reading damaged text or archives raises; RuntimeError: an archive that is encrypted, or packed in an unknown way.
DAMAGES: Final = (
    OSError,
    EOFError,
    RuntimeError,
    UnicodeDecodeError,
    lzma.LZMAError,
    zlib.error,
    zipfile.BadZipFile,
)


@contextlib.contextmanager
def opened_table(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a `.csv`, a `.csv.gz`, or the one `.csv` in a `.zip`, as its name says; ends of lines are kept.

    A byte-order mark is refused: a program that does not expect one takes it for a part of the first column's name.

    Raises:
        UserError: it is empty, a pipe, a web page, not packed as its name says, a zip of none or several tables, or not
            plain UTF-8, here or while the lines are taken.
        One of `DAMAGES`: it cannot be read, here or while the lines are taken; or a line is longer than `LONGEST_LINE`.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UserError(f"{path} is a pipe or a device, which cannot be read twice; save it into a file and name that")
    packing = path.suffix.lower()
    with contextlib.ExitStack() as closing:
        stream: IO[bytes] = closing.enter_context(path.open("rb"))
        _check_beginning(path, packing, stream)
        if packing == ".zip":
            archive = closing.enter_context(zipfile.ZipFile(stream))
            stream = closing.enter_context(archive.open(_only_table(path, archive)))
        blocks = iter(lambda: stream.read(_READ_AT_ONCE), b"")
        if packing == ".gz":
            blocks = _unpacked(blocks)
        if packing in _BEGINS:
            blocks = closing.enter_context(contextlib.closing(_in_a_thread(blocks)))
        yield _lines(path, _text(path, blocks))


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
        if member is None:
            # More of the zeros that may follow a member.
            block = block.lstrip(b"\0")
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


def _check_beginning(path: Path, packing: str, stream: IO[bytes]) -> None:
    beginning = stream.read(512)
    stream.seek(0)
    expected = _BEGINS.get(packing)
    if not beginning:
        reason = "is empty"
    elif beginning.lstrip()[:1] == b"<":
        reason = "is a web page, not a table"
    elif expected and not beginning.startswith(expected):
        reason = f"is not a {packing} file, whatever its name says"
    elif packing not in (*_PLAIN, *_BEGINS):
        raise UserError(f"{path} is named {path.suffix}; a table is a .csv, .csv.gz or .zip, and named so")
    elif not expected and beginning.startswith(tuple(_BEGINS.values())):
        reason = "is packed; name it .csv.gz or .zip as it is packed"
    else:
        return
    raise UserError(f"{path} {reason}; make it again or, if it was downloaded, download it again")


def _only_table(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [
        member
        for member in archive.infolist()
        if not member.is_dir() and PurePosixPath(member.filename).parts[:1] != (_SYSTEM_FOLDER,)
    ]
    if len(files) != 1 or not files[0].filename.lower().endswith(".csv"):
        names = ", ".join(member.filename for member in files[:10]) or "nothing"
        raise UserError(f"{path} should hold one .csv file; it holds {names}")
    return files[0]


def _text(path: Path, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks, once their beginning has been found to be a text's."""
    beginning = b""
    for block in blocks:
        beginning += block
        if len(beginning) >= _LOOKED_AT:
            break
    if not beginning:
        raise UserError(f"{path} is empty inside; make it again or, if it was downloaded, download it again")
    if beginning.startswith(_MARK):
        raise _refused(
            f"{path} begins with a byte-order mark, as Excel's 'CSV UTF-8' does; save it without, as plain CSV", blocks
        )
    if beginning.startswith(_OTHER_MARKS) or b"\0" in beginning[:_LOOKED_AT]:
        raise _refused(f"{path}, line 1: this is UTF-16 or the like; save the table as plain CSV in UTF-8", blocks)
    yield beginning
    yield from blocks


def _refused(message: str, rest: Iterable[bytes]) -> UserError:
    """What to raise for this text, unless the rest is damaged, which may be all that is wrong: then that is raised."""
    for _ in rest:
        pass
    return UserError(message)


def _lines(path: Path, blocks: Iterator[bytes]) -> Iterator[str]:
    lines, given = [b""], 0
    for block in blocks:
        # Of bytes, not of text: that has other ends of lines too. The last may go on in the next block.
        lines = _split(lines[-1] + block)
        if max(map(len, lines)) > LONGEST_LINE:
            raise OSError(f"a line of more than {LONGEST_LINE / 2**20:.0f} MiB")
        yield from _decoded(path, lines[:-1], given, blocks)
        given += len(lines) - 1
    if lines[-1]:
        yield from _decoded(path, lines[-1:], given, blocks)


def _decoded(path: Path, lines: Sequence[bytes], before: int, rest: Iterable[bytes]) -> Iterator[str]:
    """The lines as text; `before` is how many there were before them."""
    for number, line in enumerate(lines, start=before + 1):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            found = f"{path}, line {number}: the byte 0x{line[error.start]:02x} is not UTF-8"
            raise _refused(f"{found}; save the table as plain CSV in UTF-8", rest) from None
        yield text


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
