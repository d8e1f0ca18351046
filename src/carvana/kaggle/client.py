"""The one place that talks to Kaggle, through the official package in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from carvana.kaggle.credentials import Credentials
from carvana.kaggle.failures import KaggleError, Kind, classify
from carvana.kaggle.process import CallFailedError, PackageProcess
from carvana.kaggle.redaction import redact

# What the package says instead of raising an error when the upload fails; it then asks for no submission.
_UPLOAD_FAILED: Final = "Could not submit to competition"


@dataclass(frozen=True)
class RemoteFile:
    """A file of the competition: its name and size in bytes as Kaggle lists them."""

    name: str
    bytes: int


@dataclass(frozen=True)
class Submission:
    """A submission as Kaggle lists it.

    Attributes:
        ref: its number, above 0.
        status: PENDING, COMPLETE or ERROR.
        public_score: as text; "" where there is none.
        private_score: as text; "" where there is none.
        description: what it was submitted with.
        error: why it failed.
        file_name: as uploaded.
        date: ISO 8601, UTC.
    """

    ref: int
    status: str
    public_score: str
    private_score: str
    description: str
    error: str
    file_name: str
    date: str


class Kaggle:
    """A competition as the holder of the credentials sees it; to be used in a `with` statement.

    No call hangs: when neither what the call is watched by changes nor the package says anything for `stall` seconds,
    the process is ended. No call is repeated: see `carvana.kaggle.retry`.
    """

    def __init__(
        self,
        competition: str,
        credentials: Credentials,
        stall: float,
        environment: Mapping[str, str] = os.environ,
        keep_open: Sequence[int] = (),
    ) -> None:
        """Remember what is needed; nothing is asked yet.

        Args:
            competition: its name in Kaggle's addresses.
            credentials: see `find_credentials`.
            stall: seconds without progress after which a call ends with an error.
            environment: of the process in which the package runs.
            keep_open: descriptors, such as a lock's, that live as long as that process.
        """
        self._competition = competition
        self._credentials = credentials
        self._process = PackageProcess(credentials.environment, stall, environment, keep_open)

    def __enter__(self) -> Kaggle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.end()

    def files(self) -> tuple[RemoteFile, ...]:
        """All files of the competition, of all pages of the listing. Raises KaggleError."""
        listed = self._call("files", "listing the competition's files")
        return tuple(RemoteFile(str(one["name"]), int(one["bytes"])) for one in listed)

    def download(self, name: str, folder: Path, watch: Callable[[], object]) -> None:
        """Download a file into a folder, going on where an earlier attempt ended; what arrives is not verified.

        Args:
            name: as listed.
            folder: made if need be.
            watch: called many times a second; what it gives changes as the download moves. What it raises ends the
                download.

        Raises:
            KaggleError: the download failed; what has arrived is kept.
        """
        self._call("download", f"downloading {name}", watch, name=name, folder=str(folder))

    def submit(self, file: Path, description: str) -> int:
        """Submit a file once.

        Returns:
            The submission's reference, above 0.

        Raises:
            KaggleError: it was not accepted, or no reference came back. Whether it was registered all the same can be
                seen in `submissions`, so it must not simply be sent again.
        """
        doing = f"submitting {file.name}"
        made = self._call("submit", doing, file=str(file.resolve()), description=description)
        ref = made["ref"]
        if isinstance(ref, int) and ref > 0:
            return ref
        said = self._redacted(str(made["message"])) or "no message"
        if said == _UPLOAD_FAILED:
            page = f"https://www.kaggle.com/c/{self._competition}"
            message = f"{doing}: the file could not be uploaded, so nothing was submitted; see {page} for whether it is"
            raise KaggleError(Kind.BROKEN, f"{message} still possible, and run the command again", asked="upload")
        raise KaggleError(
            Kind.BROKEN,
            f"{doing}: Kaggle gave no reference for it ({said}); look at"
            f" https://www.kaggle.com/c/{self._competition}/submissions for whether it arrived before sending it again",
        )

    def submissions(self) -> tuple[Submission, ...]:
        """All submissions to the competition, newest first. Raises KaggleError."""
        return tuple(Submission(**one) for one in self._call("submissions", "listing the submissions"))

    def _call(self, call: str, doing: str, watch: Callable[[], object] = lambda: None, **arguments: str) -> Any:
        try:
            return self._process.call(call, {"competition": self._competition, **arguments}, watch)
        except CallFailedError as failure:
            facts = replace(failure.facts, words=self._redacted(failure.facts.words))
            raise classify(facts, doing, self._competition, self._credentials.source) from None

    def _redacted(self, text: str) -> str:
        return redact(text, self._credentials.secrets)
