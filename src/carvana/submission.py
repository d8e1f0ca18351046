"""Tables of masks (`img, rle_mask`) and the submissions made of them."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from carvana.errors import UserError
from carvana.files import whole_file
from carvana.submission_check import COLUMNS, Report, check
from carvana.tabletext import DAMAGES, opened_table

_EXAMPLES_SHOWN: Final = 10


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and values of each row of a table of masks, `.csv`, `.csv.gz` or `.zip`, its header first.

    The columns begin with `img, rle_mask`; rows may have more or fewer values than the header.

    Raises:
        UserError: as `tabletext.opened_table`, no such file, a folder, damaged, or not such a table; or a column's name
            has blanks around it, so that who looks for the column would not find it.
    """
    try:
        with opened_table(path) as lines:
            rows = _split(lines)
            _, header = next(rows, (1, []))
            stripped = [column.strip() for column in header]
            if tuple(stripped[: len(COLUMNS)]) != COLUMNS:
                raise UserError(f"{path}: its columns are {str(header)[:200]}, expected {', '.join(COLUMNS)} first")
            if header != stripped:
                raise UserError(f"{path}: its columns are {str(header)[:200]}; take the blanks around their names away")
            yield 1, header
            yield from rows
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no such table of masks; check its name, or run the step that makes it") from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder; name a table of masks, .csv, .csv.gz or .zip") from None
    except (*DAMAGES, csv.Error) as error:
        raise UserError(f"{path} is damaged ({error}); restore it or make it again") from error


def _split(lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Line number and values of each row. Raises csv.Error, with the line, where quoting is wrong."""
    for number, line in enumerate(lines, start=1):
        if '"' in line:
            rows = csv.reader(itertools.chain([line], lines), strict=True)
            begins = number
            try:
                for row in rows:
                    yield number - 1 + rows.line_num, row
                    begins = number + rows.line_num
            except csv.Error as error:
                reason = str(error).replace("unexpected end of data", "a quotation mark is not closed")
                raise csv.Error(f"line {begins}: {reason}") from None
        else:
            values = line.rstrip("\r\n")
            comma = values.find(",")
            if comma >= 0 and values.rfind(",") == comma:
                # A fifth of the time of `split`, itself an eighth of the csv module's.
                yield number, [values[:comma], values[comma + 1 :]]
            else:
                yield number, values.split(",") if values else []


def read_masks(path: Path) -> Iterator[tuple[str, str]]:
    """Image name and RLE of each row of a table of masks; columns after `img, rle_mask` are not looked at.

    Raises:
        UserError: as `read_rows`, or a row has more or fewer values than the header.
    """
    rows = read_rows(path)
    _, header = next(rows)
    for line, row in rows:
        if len(row) != len(header):
            raise UserError(f"{path}, line {line}: {len(row)} values, expected {len(header)}")
        yield row[0], row[1]


def sample_names(path: Path) -> tuple[str, ...]:
    """Image names of `sample_submission.csv`, in its order.

    Raises:
        UserError: as `read_masks`, or no image is listed, or one twice.
    """
    names = tuple(name for name, _ in read_masks(path))
    if not names:
        raise UserError(f"{path} lists no image; restore Kaggle's file")
    if len(set(names)) != len(names):
        raise UserError(f"{path} lists an image twice; restore Kaggle's file")
    return names


class _MaskTables:
    """Rows of several plain CSV tables of masks, found by image name without holding the masks in memory."""

    def __init__(self, paths: Sequence[Path], closing: contextlib.ExitStack) -> None:
        self._places: dict[str, tuple[io.BufferedReader, int]] = {}
        for path in paths:
            try:
                stream = closing.enter_context(path.open("rb"))
            except OSError as error:
                raise UserError(f"{path}: {error.strerror}; run the step that makes this table of masks") from None
            self._index(path, stream)

    def _index(self, path: Path, stream: io.BufferedReader) -> None:
        header = stream.readline().decode("utf-8", "replace").rstrip("\n").split(",")
        if tuple(header[:2]) != COLUMNS:
            raise UserError(f"{path}: its columns are {header}, expected {', '.join(COLUMNS)} first")
        place = stream.tell()
        for line in stream:
            values = line.rstrip(b"\n").split(b",")
            if len(values) != len(header) or not line.endswith(b"\n"):
                raise UserError(f"{path} is damaged at byte {place}; delete it and run the step that made it again")
            name = values[0].decode("utf-8", "replace")
            if name in self._places:
                raise UserError(f"{path}: {name} is in the tables of masks twice; was a shard given twice?")
            self._places[name] = stream, place
            place += len(line)

    @property
    def names(self) -> set[str]:
        return set(self._places)

    def rle_of(self, name: str) -> bytes:
        stream, place = self._places[name]
        stream.seek(place)
        return stream.readline().rstrip(b"\n").split(b",")[1]


def write_submission(mask_tables: Sequence[Path], names: Sequence[str], path: Path) -> None:
    """Join the shards' tables of masks into a gzip-compressed submission; equal content gives equal bytes.

    Args:
        mask_tables: plain CSV files whose columns begin with `img, rle_mask`, in any order.
        names: every image of the sample submission, in its order.
        path: the file to write, `.csv.gz`.

    Raises:
        UserError: a table is missing or damaged, or the tables' images are not the sample submission's.
    """
    with contextlib.ExitStack() as closing:
        tables = _MaskTables(mask_tables, closing)
        _check_same_images(tables.names, set(names))
        partial = closing.enter_context(whole_file(path))
        stream = closing.enter_context(partial.open("wb"))
        # No name and no time in the header.
        packed = closing.enter_context(gzip.GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0))
        packed.write(",".join(COLUMNS).encode() + b"\n")
        for name in names:
            packed.write(name.encode() + b"," + tables.rle_of(name) + b"\n")


def _check_same_images(found: set[str], expected: set[str]) -> None:
    problems = [
        f"{len(images)} images {what} ({', '.join(sorted(images)[:_EXAMPLES_SHOWN])})"
        for images, what in ((expected - found, "have no mask"), (found - expected, "are not in sample_submission.csv"))
        if images
    ]
    if problems:
        raise UserError(f"no submission can be made: {'; '.join(problems)}. Check that every shard is there")


def validate_submission(path: Path, names: Sequence[str] | None, size_HW: tuple[int, int]) -> Report:
    """Check a submission as a stranger would read it.

    Args:
        path: `.csv`, `.csv.gz` or `.zip`.
        names: every image of the sample submission, in its order, or None (see `submission_check.check`).
        size_HW: of the masks.

    Returns:
        What the check found; no problems.

    Raises:
        UserError: as `read_rows`; or it has problems: the first ten are listed, with the total.
    """
    report = check(read_rows(path), names, size_HW)
    if report.problems:
        raise UserError(f"{path} is not a valid submission; {report}")
    return report
