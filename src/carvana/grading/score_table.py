"""The table of scores: written, read again, and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from carvana.files import write_json, write_table
from carvana.grading.scores import Score
from carvana.reading import read_json, readable
from carvana.text import NOT_AVAILABLE, score, table

COLUMNS: Final = tuple(field.name for field in fields(Score))


def write_scores(scores: Sequence[Score], json_path: Path, csv_path: Path) -> None:
    """Write the rows as a JSON list of objects and as CSV, both with the columns `COLUMNS`."""
    rows = [{name: NOT_AVAILABLE if value is None else value for name, value in asdict(row).items()} for row in scores]
    write_json(json_path, rows)
    write_table(csv_path, COLUMNS, [tuple(row.values()) for row in rows])


def read_scores(path: Path) -> list[Score]:
    """The rows that `write_scores` wrote as JSON. Raises UserError when they are not there or damaged."""
    with readable(path, "run `snakemake score` again"):
        return [_read(row) for row in read_json(path)]


def _read(row: Mapping[str, Any]) -> Score:
    values: dict[str, Any] = {name: None if value == NOT_AVAILABLE else value for name, value in row.items()}
    return Score(**values)


def format_table(scores: Sequence[Score]) -> str:
    """The rows as aligned text, with numbered notes below."""
    notes, numbers_of = numbered_notes([row.note for row in scores])
    columns = ("level", "name", "out_of_fold", "public", "private", "images", "notes")
    rows = [
        (row.level, row.name, *map(score, row.dice), str(row.images), numbers)
        for row, numbers in zip(scores, numbers_of, strict=True)
    ]
    told = (f"[{number}] {note}" for number, note in enumerate(notes, start=1))
    return "\n".join([table(columns, rows), *told])


def numbered_notes(notes_of: Sequence[str]) -> tuple[list[str], list[str]]:
    """Every note once, and for each row the numbers, from 1, of its notes, such as `[1] [3]`.

    Args:
        notes_of: the notes of each row, joined by `; `.
    """
    split = [[note for note in notes.split("; ") if note] for notes in notes_of]
    notes = list(dict.fromkeys(note for row in split for note in row))
    return notes, [" ".join(sorted(f"[{notes.index(note) + 1}]" for note in row)) for row in split]
