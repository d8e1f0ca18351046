"""Submissions, made of tables of masks."""

from __future__ import annotations

import contextlib
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from carvana.errors import UserError
from carvana.files import whole_file
from carvana.submission.mask_table import COLUMNS

_EXAMPLES_SHOWN: Final = 10


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
