"""Tables of masks (`img, rle_mask`), read."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from carvana.errors import UserError
from carvana.submission.tabletext import DAMAGES, opened_table

COLUMNS: Final = ("img", "rle_mask")


def numbered_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
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


def read_masks(path: Path) -> Iterator[tuple[str, str]]:
    """Image name and RLE of each row of a table of masks; columns after `img, rle_mask` are not looked at.

    Raises:
        UserError: as `numbered_rows`, or a row has more or fewer values than the header.
    """
    rows = numbered_rows(path)
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
