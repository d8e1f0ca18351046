"""Mean Dice of every model, recipe, member and of the ensemble, out of fold and on the hidden truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from carvana.errors import UserError
from carvana.geometry import FULL, Geometry
from carvana.grading.dice import dice_by_image, mean_dice
from carvana.grading.truth import Truth

Level = Literal["baseline", "model", "recipe", "member", "ensemble"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

# The values of `Score.dice`, for people.
DICE_PARTS: Final = ("out of fold", "public", "private")


@dataclass(frozen=True)
class ScoreEntry:
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


def parse_entry(words: Sequence[str], partial: bool = False) -> ScoreEntry:
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
    return ScoreEntry(level, words[1], out_of_fold, test, tuple(words[4:]), partial)


@dataclass(frozen=True)
class Score:
    """One row; the fields are the columns of `scores.csv`.

    Attributes:
        level: see `ScoreEntry`.
        name: see `ScoreEntry`.
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
        """Out of fold, public and private: see `DICE_PARTS`."""
        return self.out_of_fold, self.public, self.private


def score(entry: ScoreEntry, training: Truth, hidden: Mapping[str, Truth] | None, geometry: Geometry) -> Score:
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
    if geometry != FULL:
        notes.append(f"{geometry.name} geometry: cannot be submitted")
    if entry.partial:
        notes.append("out_of_fold covers only images with a network that did not see their car, see images")
    out_of_fold = dice_by_image(entry.out_of_fold, training, partial=entry.partial) if entry.out_of_fold else {}
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
