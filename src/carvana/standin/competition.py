"""The competition that the stand-in holds: files to download, submissions, and their scores on the hidden truth."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from carvana import rle
from carvana.errors import UserError
from carvana.files import whole_file
from carvana.geometry import Geometry
from carvana.grading.dice import mean_dice
from carvana.grading.truth import hidden_truth
from carvana.mask_runs import Runs
from carvana.metrics import dice_of_runs
from carvana.standin.faults import Fault
from carvana.submission.mask_table import read_masks, sample_names
from carvana.text import score

# What no competition shows.
SOLUTION: Final = "solution.csv"
FIRST_REFERENCE: Final = 1001


@dataclass
class ListedSubmission:
    """A submission, in the form in which ListSubmissions tells of it."""

    ref: int
    date: str
    description: str
    file_name: str
    size: int
    polls_left: float
    public: str = ""
    private: str = ""
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        """The fields of the client's ApiSubmission."""
        status = "PENDING" if self.polls_left > 0 else "ERROR" if self.error else "COMPLETE"
        done = status == "COMPLETE"
        return {
            "ref": self.ref,
            "date": self.date,
            "description": self.description,
            "fileName": self.file_name,
            "totalBytes": self.size,
            "status": status,
            "publicScore": self.public if done else "",
            "privateScore": self.private if done else "",
            "errorDescription": self.error if status == "ERROR" else "",
        }


class Competition:
    """A folder in Kaggle's layout, as a competition."""

    def __init__(self, folder: Path, geometry: Geometry, uploads: Path, pending_polls: int = 1) -> None:
        """Offer the folder's files, and score against its solution.csv.

        Args:
            folder: the files to offer; without solution.csv nothing can be submitted.
            geometry: of the masks.
            uploads: where submissions are kept.
            pending_polls: times that a submission is listed as pending before its score is.
        """
        self.folder = folder
        self._geometry = geometry
        self.uploads = uploads
        self.pending_polls = pending_polls
        self._entries: list[ListedSubmission] = []
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()

    def files(self) -> list[Path]:
        """What is offered, by name."""
        offered = (path for path in self.folder.iterdir() if path.is_file() and path.name != SOLUTION)
        return sorted(path for path in offered if not path.name.startswith("."))

    def file(self, name: str) -> Path | None:
        """An offered file, or None."""
        return next((path for path in self.files() if path.name == name), None)

    def begin_upload(self, file_name: str) -> str:
        """A token that stands for the file to come."""
        with self._lock:
            token = f"upload-{len(self._tokens) + 1}"
            self._tokens[token] = Path(file_name).name
        return token

    def keep_upload(self, token: str, content: bytes) -> bool:
        """Keep what was uploaded under a token; False for a token that was never given out."""
        if token not in self._tokens:
            return False
        with whole_file(self.uploads / token / self._tokens[token]) as partial:
            partial.write_bytes(content)
        return True

    def submit(self, token: str, description: str, fault: Fault | None = None) -> int | None:
        """Make a submission of an upload and score it, or as the fault has it; None if nothing was uploaded."""
        path = self.uploads / token / self._tokens.get(token, "")
        if not path.is_file():
            return None
        action = fault.action if fault else ""
        with self._lock:
            entry = ListedSubmission(
                ref=FIRST_REFERENCE + len(self._entries),
                date=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z",
                description=description,
                file_name=path.name,
                size=path.stat().st_size,
                polls_left=math.inf if action == "never" else self.pending_polls,
            )
            self._entries.append(entry)
        if fault is not None and action == "error":
            entry.error = fault.message
            return entry.ref
        try:
            scores = score_submission(path, self.folder, self._geometry)
        except UserError as error:
            entry.error = str(error).replace(str(path), path.name)
            return entry.ref
        if action != "empty_score":
            entry.public, entry.private = (score(scores[usage], missing="") for usage in ("Public", "Private"))
        return entry.ref

    def submissions(self, page: int, size: int) -> list[dict[str, Any]]:
        """A page, counted from 1, of the submissions, newest first; those pending come nearer to their score."""
        with self._lock:
            shown = self._entries[::-1][(page - 1) * size : page * size]
            told = [entry.as_json() for entry in shown]
            for entry in shown:
                entry.polls_left -= 1
        return told


def score_submission(submission: Path, folder: Path, geometry: Geometry) -> dict[str, float | None]:
    """Mean Dice of the public and of the private images, by usage; None where there are none.

    Args:
        submission: `.csv` or `.csv.gz`.
        folder: with sample_submission.csv and solution.csv.
        geometry: of the masks.

    Raises:
        UserError: other images than sample_submission.csv's, an image twice, or a malformed mask.
    """
    truth = hidden_truth(folder / SOLUTION, geometry)
    expected = set(sample_names(folder / "sample_submission.csv"))
    masks: dict[str, Runs] = {}
    try:
        for name, runs in rle.runs_of_rows(read_masks(submission), geometry.image_size):
            if name not in expected or name in masks:
                raise UserError(f"{submission}: {name} is {'there twice' if name in masks else 'not a test image'}")
            masks[name] = runs
    except ValueError as error:
        raise UserError(f"{submission}: {error}") from None
    if missing := expected - masks.keys():
        raise UserError(f"{submission}: {len(missing)} of {len(expected)} test images are missing")
    return {
        usage: mean_dice(dice_of_runs(masks[name], runs) for name, runs in images.items())
        for usage, images in truth.items()
    }
