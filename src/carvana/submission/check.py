"""What can be wrong with a submission, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from carvana import rle
from carvana.data.names import VIEWS, ImageName, parse_image_name
from carvana.errors import UserError
from carvana.mask_runs import Runs
from carvana.submission.mask_table import COLUMNS, numbered_rows

_PROBLEMS_SHOWN: Final = 10

Rows = Iterable[tuple[int, Sequence[str]]]
"""Line number and values of each row of a table, the header first."""


@dataclass(frozen=True)
class Findings:
    """What the check of a submission found.

    Attributes:
        images: number of different images with a row.
        lowest_row: the last row of an image that a mask reaches, from 1; 0 where no mask has a pixel.
        problems: number of problems.
        first: the first ten of them, each one line of text.
    """

    images: int
    lowest_row: int
    problems: int
    first: tuple[str, ...]

    def __str__(self) -> str:
        more = [f"... and {self.problems - len(self.first):,} more"] * (self.problems > len(self.first))
        return "\n  ".join([f"{self.problems:,} problem{'s' * (self.problems != 1)}:", *self.first, *more])


def validate_submission(path: Path, names: Sequence[str] | None, size_HW: tuple[int, int]) -> Findings:
    """Check a submission as a stranger would read it.

    Args:
        path: `.csv`, `.csv.gz` or `.zip`.
        names: every image of the sample submission, in its order, or None (see `check`).
        size_HW: of the masks.

    Returns:
        What the check found; no problems.

    Raises:
        UserError: as `numbered_rows`; or it has problems: the first ten are listed, with the total.
    """
    findings = check(numbered_rows(path), names, size_HW)
    if findings.problems:
        raise UserError(f"{path} is not a valid submission; {findings}")
    return findings


def check(rows: Rows, names: Sequence[str] | None, size_HW: tuple[int, int]) -> Findings:
    """Look for everything that is wrong with the columns, the names, their order, and each RLE.

    An RLE is wrong when it is malformed, not ascending, overlapping, outside the image, or sets the image's first or
    last pixel. A row that is missing, double or unknown does not make those after it wrong.

    Args:
        rows: of the submission.
        names: every image of the sample submission, in its order. None: it is not at hand; then names need only have
            the competition's form, come once, and with every view of their car.
        size_HW: of the masks, (height, width) in pixels.
    """
    seen = _Seen({})
    count, first = 0, []
    for count, problem in enumerate(_problems(rows, names, size_HW, seen), start=1):
        if count <= _PROBLEMS_SHOWN:
            first.append(problem)
    return Findings(len(seen.lines), -(-seen.last_pixel // size_HW[1]), count, tuple(first))


@dataclass
class _Seen:
    """What passed by: each image's first line, and the highest number of a pixel in any mask."""

    lines: dict[str, int]
    last_pixel: int = 0


def _problems(rows: Rows, names: Sequence[str] | None, size_HW: tuple[int, int], seen: _Seen) -> Iterator[str]:
    """The problems; `seen` is filled."""
    lines = seen.lines
    positions = None if names is None else {name: position for position, name in enumerate(names)}
    before, reached, line = "", -1, 0
    with_rle = ((row, row[1][1] if row[0] > 1 and len(row[1]) == len(COLUMNS) else "") for row in rows)
    for (line, values), runs in rle.runs_or_error_of_rows(with_rle, size_HW):
        if line == 1:
            if tuple(values) != COLUMNS:
                yield f"line 1: the columns are {', '.join(values)}; expected {', '.join(COLUMNS)}"
            continue
        if len(values) != len(COLUMNS):
            yield f"line {line}: {len(values)} values, expected {len(COLUMNS)}"
            continue
        name = values[0]
        if not isinstance(runs, ValueError) and len(runs):
            seen.last_pixel = max(seen.last_pixel, int(runs[-1, 1]) - 1)
        yield from (f"line {line}: {name}: {problem}" for problem in _mask_problems(runs, size_HW))
        if name in lines:
            yield f"line {line}: {name} comes a second time, first on line {lines[name]}"
            continue
        lines[name] = line
        if positions is None:
            yield from (f"line {line}: {problem}" for problem in _name_problems(name))
        elif name not in positions:
            yield f"line {line}: {name!r} is not in the sample submission"
        elif positions[name] < reached:
            yield f"line {line}: {name} comes after {before}; the sample submission has it before"
        else:
            before, reached = name, positions[name]
    if names is None and line <= 1:
        yield "no row follows the columns"
    expected = _all_views(lines) if names is None else names
    yield from (f"no row for {name}" for name in expected if name not in lines)


def _mask_problems(runs: Runs | ValueError, size_HW: tuple[int, int]) -> Iterator[str]:
    if isinstance(runs, ValueError):
        yield str(runs)
    elif len(runs) and (runs[0, 0] == 1 or runs[-1, 1] == size_HW[0] * size_HW[1] + 1):
        yield "the RLE sets the image's first or last pixel"


def _name_problems(name: str) -> Iterator[str]:
    try:
        parse_image_name(name)
    except UserError as error:
        yield str(error)


def _all_views(names: Iterable[str]) -> Iterator[str]:
    """The names of all views of the cars that the well-formed names show."""
    cars = dict.fromkeys(parse_image_name(name).car for name in names if not list(_name_problems(name)))
    return (str(ImageName(car, view)) for car in cars for view in VIEWS)
