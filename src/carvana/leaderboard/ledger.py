"""Which files were sent to which competition: written down before they are sent, so that none is sent twice.

An entry is a file of its own, outside every rule's outputs. It appears before anything is sent, without a reference,
and gets the reference when Kaggle has given one. An entry without a reference is an attempt of unknown outcome.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from carvana.errors import UserError
from carvana.files import write_json


@dataclass(frozen=True)
class Entry:
    """One file's sending.

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
    """The entries of one folder."""

    folder: Path

    def path(self, competition: str, sha256: str) -> Path:
        """The file of an entry."""
        return self.folder / competition / f"{sha256}.json"

    def find(self, competition: str, sha256: str) -> Entry | None:
        """The entry, if there is one. Raises UserError when it is damaged."""
        path = self.path(competition, sha256)
        try:
            return Entry(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"{path}, which says whether this file was submitted, cannot be read ({error}); look at the"
                " competition's list of your submissions, and delete the file if the submission is not there"
            ) from None

    def begin(self, entry: Entry) -> None:
        """Write down that the file is about to be sent. Raises UserError when another attempt already has."""
        path = self.path(entry.competition, entry.sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".", suffix=".partial") as stream:
            json.dump(asdict(entry), stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
            try:
                # Unlike a rename, a link fails when the name is taken.
                os.link(stream.name, path)
            except FileExistsError:
                raise UserError(f"{path}: the file is being submitted by another process; wait for it") from None

    def confirm(self, entry: Entry, reference: int) -> None:
        """Write down the reference that Kaggle gave."""
        write_json(self.path(entry.competition, entry.sha256), asdict(replace(entry, reference=reference)))

    def withdraw(self, entry: Entry) -> None:
        """Forget an attempt that is known not to have arrived."""
        self.path(entry.competition, entry.sha256).unlink(missing_ok=True)
