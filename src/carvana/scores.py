"""Mean Dice of every model, recipe, member and of the ensemble, out of fold and on the hidden truth."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

from carvana import rle
from carvana.data.manifest import Manifest
from carvana.data.masks import read_mask
from carvana.errors import UserError
from carvana.files import write_json, write_table
from carvana.geometry import Geometry
from carvana.metrics import dice_of_runs
from carvana.submission import read_masks, read_rows
from carvana.table import table

Level = Literal["baseline", "model", "recipe", "member", "ensemble"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
NOT_AVAILABLE: Final = "not available"
"""What is written and shown where there is no score."""

_USAGE: Final = "usage"
USAGES: Final = ("Public", "Private", "Ignored")
"""What a test image is used for; the ignored ones are not scored."""

Truth = Mapping[str, rle.Runs]
"""Runs of the true mask by image name."""


@dataclass(frozen=True)
class Entry:
    """What is scored as one row.

    Attributes:
        level: of the row.
        name: of the baseline, model, recipe, member or ensemble.
        out_of_fold: tables of masks of the training images, together each image once; empty if there are none.
        test: tables of masks of the test images, likewise.
        notes: remarks for the row.
        partial: whether some training images have no mask, as where a model has some folds' networks only.
    """

    level: Level
    name: str
    out_of_fold: tuple[Path, ...]
    test: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    partial: bool = False


def parse_entry(words: Sequence[str], partial: bool = False) -> Entry:
    """An entry from the words `LEVEL NAME OUT_OF_FOLD TEST [NOTE ...]`.

    OUT_OF_FOLD and TEST are paths of tables of masks, joined by commas where they are several, or `-` for none.

    Raises:
        UserError: too few words, or no such level.
    """
    level = next((known for known in LEVELS if known == words[0]), None)
    if level is None or len(words) < 4:
        raise UserError(
            f"not an entry: {' '.join(words)}; expected LEVEL NAME OUT_OF_FOLD TEST [NOTE ...] with one of the levels"
            f" {', '.join(LEVELS)}"
        )
    out_of_fold, test = (() if word == "-" else tuple(map(Path, word.split(","))) for word in words[2:4])
    return Entry(level, words[1], out_of_fold, test, tuple(words[4:]), partial)


@dataclass(frozen=True)
class Score:
    """One row; the fields are the columns of `scores.csv`.

    Attributes:
        level: see `Entry`.
        name: see `Entry`.
        out_of_fold: mean Dice over the training images; None: not available.
        public: mean Dice over the public test images; None: not available.
        private: mean Dice over the private test images; None: not available.
        images: number of training images scored out of fold.
        geometry: of the run.
        note: what a reader must know to take the numbers for what they are.
    """

    level: Level
    name: str
    out_of_fold: float | None
    public: float | None
    private: float | None
    images: int
    geometry: str
    note: str

    @property
    def dice(self) -> tuple[float | None, float | None, float | None]:
        """Out of fold, public and private."""
        return self.out_of_fold, self.public, self.private


COLUMNS: Final = tuple(field.name for field in fields(Score))


def training_truth(manifest: Manifest) -> dict[str, rle.Runs]:
    """The training images' true masks."""
    return {record.name: rle.runs_of_mask(read_mask(Path(record.mask))) for record in manifest}


def has_usage(header: Sequence[str]) -> bool:
    """Whether a table of masks with this header says what its images are used for."""
    return _USAGE in _lowered(header)


def _lowered(header: Sequence[str]) -> list[str]:
    # Kaggle writes Usage.
    return [column.lower() for column in header]


def hidden_truth(solution: Path, geometry: Geometry) -> dict[str, dict[str, rle.Runs]]:
    """The scored test images' true masks, by usage (`Public`, `Private`) and image name.

    Args:
        solution: `.csv`, `.csv.gz` or `.zip` whose columns begin with img, rle_mask and which has a column usage
            or Usage (Public, Private or Ignored).
        geometry: of the masks.

    Raises:
        UserError: as `carvana.submission.read_rows`, no column usage, an image twice, or a row with another number of
            values, another usage or a malformed RLE.
    """
    truth: dict[str, dict[str, rle.Runs]] = {"Public": {}, "Private": {}}
    if not solution.exists():
        raise UserError(f"{solution}: no such file; give the hidden truth, or none")
    usage: dict[str, str] = {}
    try:
        for name, runs in rle.runs_of_rows(_masks_with_usage(solution, usage), geometry.image_size):
            if usage[name] in truth:
                # A view would keep all that was parsed with it, and cost time as well.
                truth[usage[name]][name] = runs.copy()
    except ValueError as error:
        raise UserError(f"{solution} is not a hidden truth ({error}): expected img, rle_mask, usage") from error
    return truth


def _masks_with_usage(solution: Path, usage: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Image name and RLE of each row; `usage` is filled. Raises ValueError: as `hidden_truth`."""
    rows = read_rows(solution)
    _, header = next(rows)
    place = _lowered(header).index(_USAGE)
    for line, row in rows:
        if len(row) != len(header):
            raise ValueError(f"line {line}: {len(row)} values, expected {len(header)}")
        if row[place] not in USAGES:
            raise ValueError(f"line {line}: the usage {row[place]!r}; there are {', '.join(USAGES)}")
        if row[0] in usage:
            raise ValueError(f"line {line}: {row[0]} comes a second time")
        usage[row[0]] = row[place]
        yield row[0], row[1]


def dice_by_image(tables: Iterable[Path], truth: Truth, size_HW: tuple[int, int] | None = None) -> dict[str, float]:
    """Dice of each image that has a truth; rows of other images are passed over.

    Args:
        tables: of masks.
        truth: of the images to score.
        size_HW: of the masks; None where the tables were made here, and fit.

    Raises:
        UserError: a table is missing or damaged, an image with a truth is in the tables twice or not at all, or its
            RLE is malformed or does not fit the image.
    """
    dice: dict[str, float] = {}
    for path in tables:
        scored = ((name, encoded) for name, encoded in read_masks(path) if name in truth)
        try:
            for name, runs in rle.runs_of_rows(scored, size_HW):
                if name in dice:
                    raise UserError(f"{path}: {name} has a second mask; was a table given twice?")
                dice[name] = dice_of_runs(runs, truth[name])
        except ValueError as error:
            raise UserError(f"{path}: {error}; make the table again") from error
    if missing := sorted(truth.keys() - dice.keys()):
        shown = ", ".join(missing[:10])
        raise UserError(f"{len(missing)} images to score have no mask ({shown}) in {', '.join(map(str, tables))}")
    return dice


def score(entry: Entry, training: Truth, hidden: Mapping[str, Truth] | None, geometry: Geometry) -> Score:
    """Score one entry.

    Args:
        entry: what to score.
        training: truth of the training images.
        hidden: truth of the test images by usage, None where it is not known.
        geometry: of the run.

    Raises:
        UserError: as `dice_by_image`.
    """
    notes = list(entry.notes)
    if entry.out_of_fold and entry.level != "baseline":
        notes.append("each network was selected on its fold: out_of_fold is optimistic")
    if geometry.name != "full":
        notes.append(f"{geometry.name} geometry: cannot be submitted")
    if entry.partial:
        masked = {name for path in entry.out_of_fold for name, _ in read_masks(path)}
        training = {name: runs for name, runs in training.items() if name in masked}
        notes.append("out of fold on the images that have a network which did not see their car, see images")
    out_of_fold = dice_by_image(entry.out_of_fold, training) if entry.out_of_fold else {}
    scored = {name: runs for truth in (hidden or {}).values() for name, runs in truth.items()}
    test = dice_by_image(entry.test, scored) if entry.test and scored else {}
    return Score(
        level=entry.level,
        name=entry.name,
        out_of_fold=mean_dice(out_of_fold.values()),
        public=mean_dice(dice for name, dice in test.items() if hidden and name in hidden["Public"]),
        private=mean_dice(dice for name, dice in test.items() if hidden and name in hidden["Private"]),
        images=len(out_of_fold),
        geometry=geometry.name,
        note="; ".join(notes),
    )


def mean_dice(dice: Iterable[float]) -> float | None:
    """Kaggle's score of the images with these Dice coefficients; None where there are none."""
    values = list(dice)
    return math.fsum(values) / len(values) if values else None


def write_scores(scores: Sequence[Score], json_path: Path, csv_path: Path) -> None:
    """Write the rows as a JSON list of objects and as CSV, both with the columns `COLUMNS`."""
    rows = [{name: NOT_AVAILABLE if value is None else value for name, value in asdict(row).items()} for row in scores]
    write_json(json_path, rows)
    write_table(csv_path, COLUMNS, [tuple(row.values()) for row in rows])


def read_scores(path: Path) -> list[Score]:
    """The rows that `write_scores` wrote as JSON. Raises UserError when they are not there or damaged."""
    try:
        return [_read(row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} cannot be read ({error}); run `snakemake score` again") from None


def _read(row: Mapping[str, Any]) -> Score:
    values: dict[str, Any] = {name: None if value == NOT_AVAILABLE else value for name, value in row.items()}
    return Score(**values)


def format_table(scores: Sequence[Score]) -> str:
    """The rows as aligned text, with numbered notes below."""
    notes, numbers_of = numbered_notes([row.note for row in scores])
    columns = ("level", "name", "out_of_fold", "public", "private", "images", "notes")
    rows = [
        (row.level, row.name, *map(shown, row.dice), str(row.images), numbers)
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


def shown(score: float | None) -> str:
    """A score as people read it."""
    return NOT_AVAILABLE if score is None else f"{score:.6f}"
