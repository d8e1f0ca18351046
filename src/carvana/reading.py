"""Reading what was written here, JSON, YAML and CSV in UTF-8; one message where a file is missing or damaged."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from carvana.errors import UserError

# Five times the longest RLE that an image of the competition can have; what has a longer line is no table.
LONGEST_LINE: Final = 64 * 2**20

# For all readers of tables: a mask of noise has an RLE longer than the csv module's own limit, 128 KiB.
csv.field_size_limit(LONGEST_LINE)

# What to do about a missing or damaged file of a run.
FINISH_THE_RUN: Final = "finish the run, or run the step that made it again"

# What reading a file of another form raises, or taking it for what it is not.
_FAILURES: Final = (OSError, LookupError, TypeError, AttributeError, ValueError, csv.Error, yaml.YAMLError)


@contextlib.contextmanager
def readable(path: Path, remedy: str) -> Iterator[None]:
    """Wrap the reading and parsing of one file, and nothing else: any failure inside is blamed on the file.

    Args:
        path: of the file.
        remedy: what to do about it, in the imperative.

    Raises:
        UserError: the file is missing, or not what was written; the message says so, and the remedy.
    """
    try:
        yield
    except _FAILURES as error:
        raise UserError(f"{path} cannot be read ({_reason(error)}); {remedy}") from None


def read_json(path: Path) -> Any:
    """The document of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_yaml(path: Path) -> Any:
    """The document of a YAML file; None of an empty one."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV table, by column."""
    # Excel's "CSV UTF-8" begins with a mark.
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream, strict=True))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # YAML's are of several lines.
    return f"{error} is missing" if isinstance(error, KeyError) else " ".join(str(error).split())
