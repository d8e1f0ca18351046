"""Which files were sent to which competition: written down before they are sent, so that none is sent twice.

Every attempt is a file of its own, outside every rule's outputs. It appears before anything is sent, without a
reference, and gets the reference when Kaggle has given one. The outcome of an attempt without a reference is not known.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from carvana.errors import UserError
from carvana.files import write_json
from carvana.reading import read_json, readable


@dataclass(frozen=True)
class Attempt:
    """One file's sending, begun and perhaps done.

    Attributes:
        competition: Kaggle's short name.
        sha256: of the file.
        file: as it was called.
        description: that it was, or would have been, sent with.
        begun: when the attempt began; UTC, ISO 8601.
        reference: Kaggle's number of the submission; None: not known to have arrived.
    """

    competition: str
    sha256: str
    file: str
    description: str
    begun: str
    reference: int | None = None


@dataclass(frozen=True)
class Ledger:
    """The attempts of one folder."""

    folder: Path

    def path(self, competition: str, sha256: str) -> Path:
        """The file of an attempt."""
        return self.folder / competition / f"{sha256}.json"

    def find(self, competition: str, sha256: str) -> Attempt | None:
        """The attempt, if there is one. Raises UserError when it is damaged."""
        path = self.path(competition, sha256)
        with readable(
            path,
            "it says whether this submission was sent: look at the competition's list of your submissions, and delete"
            " it if the submission is not there",
        ):
            try:
                return Attempt(**read_json(path))
            except FileNotFoundError:
                return None

    def begin(self, attempt: Attempt) -> None:
        """Write down that the file is about to be sent. Raises UserError when another attempt already has."""
        path = self.path(attempt.competition, attempt.sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", suffix=".partial") as stream:
            json.dump(asdict(attempt), stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
            try:
                # Unlike a rename, a link fails when the name is taken.
                os.link(stream.name, path)
            except FileExistsError:
                raise UserError(f"{path}: the file is being submitted by another process; wait for it") from None

    def confirm(self, attempt: Attempt, reference: int) -> None:
        """Write down the reference that Kaggle gave."""
        write_json(self.path(attempt.competition, attempt.sha256), asdict(replace(attempt, reference=reference)))

    def withdraw(self, attempt: Attempt) -> None:
        """Forget an attempt that is known not to have arrived."""
        self.path(attempt.competition, attempt.sha256).unlink(missing_ok=True)
