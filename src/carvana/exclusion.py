"""Images that are left out of training: those that a person has marked in a table, such as the report's mask audit."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Final

from carvana.data.manifest import Manifest
from carvana.errors import UserError

COLUMN: Final = "exclude"
_NAME: Final = "img"
_EXPECTED: Final = f"a table with the columns {_NAME}, {COLUMN}"


def read_exclusions(path: Path, manifest: Manifest) -> Set[str]:
    """Names of the images whose row has `exclude` 1.

    Args:
        path: CSV with the columns img and exclude (0 or 1); further columns are not looked at.
        manifest: of the training images.

    Raises:
        UserError: no such file or columns, another value, an image with both, or one that is not a training image.
    """
    marks: dict[str, str] = {}
    for line, name, mark in _rows(path):
        if mark not in ("0", "1"):
            raise UserError(
                f"{path}, line {line}: {COLUMN} of {name} is {mark!r}; write 1 to leave an image out, else 0"
            )
        if marks.setdefault(name, mark) != mark:
            raise UserError(f"{path}, line {line}: {name} has both marks, 0 and 1; leave one of its rows")
    if unknown := sorted(marks.keys() - manifest.by_name.keys()):
        raise UserError(f"{path}: {unknown[0]} is not a training image ({len(unknown)} such)")
    return {name for name, mark in marks.items() if mark == "1"}


def excluded_from(names: Set[str], manifest: Manifest, folds: Mapping[str, int], fold: int) -> list[str]:
    """Those of the images that the network of this fold would train on, sorted: to it the others are nothing."""
    return sorted(name for name in names if folds.get(manifest.by_name[name].car) != fold)


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, image name and mark of each row."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = csv.reader(stream, strict=True)
            header = next(rows, [])
            if [header.count(column) for column in (_NAME, COLUMN)] != [1, 1]:
                raise UserError(f"{path} is not {_EXPECTED}: {_columns(header)}")
            name, mark = header.index(_NAME), header.index(COLUMN)
            for row in rows:
                if row and len(row) != len(header):
                    raise UserError(f"{path}, line {rows.line_num}: {len(row)} values, expected {len(header)}")
                if row:
                    yield rows.line_num, row[name], row[mark].strip()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; data.exclude names {_EXPECTED}") from None
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path} is not {_EXPECTED} ({error}); save it as CSV in UTF-8") from None


def _columns(header: Sequence[str]) -> str:
    return f"its columns are {str(header)[:200]}" if header else "it is empty"
