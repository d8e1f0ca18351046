"""What Kaggle said about submissions, as `leaderboard.json` keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from carvana.files import write_json
from carvana.reading import read_json, readable


@dataclass(frozen=True)
class Scored:
    """A submission that Kaggle has scored.

    Attributes:
        name: of the submission, such as `ensemble`.
        competition: Kaggle's short name of the competition.
        reference: Kaggle's number of the submission.
        public: mean Dice on the public part of the test images, 0..1.
        private: on the private part.
        time: when it was submitted, as Kaggle says; UTC, ISO 8601.
        description: that it was sent with.
        file: that was sent.
        sha256: of the file, 64 hexadecimal digits.
    """

    name: str
    competition: str
    reference: int
    public: float
    private: float
    time: str
    description: str
    file: str
    sha256: str


def write_scored(path: Path, scored: Sequence[Scored]) -> None:
    """Write the records as a JSON list."""
    write_json(path, [asdict(record) for record in scored])


def read_scored(path: Path) -> list[Scored]:
    """The records that `write_scored` wrote. Raises UserError when they are not there or damaged."""
    with readable(path, "run `snakemake leaderboard` again"):
        return [Scored(**record) for record in read_json(path)]
