"""The one place that talks to Kaggle, through the official package in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from carvana.kaggle.credentials import Credentials
from carvana.kaggle.failures import Facts, KaggleError, Kind, classify
from carvana.kaggle.redaction import redact

_POLL_SECONDS: Final = 0.1
_LINES_KEPT: Final = 20
_LAST_WORDS_SECONDS: Final = 5.0

# Names the server; everything else that begins with KAGGLE_ would change what the credentials are.
_KEPT: Final = "KAGGLE_API_ENVIRONMENT"
# What the package says instead of raising an error when the upload fails; it then asks for no submission.
_UPLOAD_FAILED: Final = "Could not submit to competition"

# With these the package prints every header, the authorization too.
_TALKATIVE: Final = ("VERBOSE", "VERBOSE_OUTPUT")


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
        self._stall = stall
        self._environment = environment
        self._keep_open = keep_open
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._said: deque[str] = deque(maxlen=_LINES_KEPT)
        self._lines = 0
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Kaggle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

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
        if self._process is None:
            self._begin()
        try:
            self._send({"call": call, "arguments": {"competition": self._competition, **arguments}})
            given = self._wait(doing, watch)
        except BaseException:
            self._end()
            raise
        if "error" in given:
            facts = Facts.from_json(given["error"])
            raise self._failure(doing, replace(facts, words=self._redacted(facts.words)))
        return given["result"]

    def _wait(self, doing: str, watch: Callable[[], object]) -> dict[str, Any]:
        last, since = (watch(), self._lines), time.monotonic()
        while True:
            with contextlib.suppress(queue.Empty):
                line = self._answers.get(timeout=_POLL_SECONDS)
                if line is None:
                    # What it said last may still be on its way.
                    self._listener.join(_LAST_WORDS_SECONDS)
                    said = self._redacted(" ".join(self._said)) or "it said nothing"
                    raise self._failure(doing, Facts((), f"its process ended: {said}"))
                answer: dict[str, Any] = json.loads(line)
                return answer
            now = (watch(), self._lines)
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > self._stall:
                raise self._failure(doing, Facts(("Stalled",), f"for {self._stall:g} s"))

    def _failure(self, doing: str, facts: Facts) -> KaggleError:
        return classify(facts, doing, self._competition, self._credentials.source)

    def _redacted(self, text: str) -> str:
        return redact(text, self._credentials.secrets)

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        # A process that has ended is noticed by the missing answer.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()

    def _begin(self) -> None:
        config = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="carvana-kaggle-"))
        process = subprocess.Popen(
            [sys.executable, "-m", "carvana.kaggle.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._child_environment(config),
            pass_fds=self._keep_open,
            text=True,
            errors="replace",
        )
        self._process, self._answers = process, queue.Queue()
        assert process.stdout is not None
        assert process.stderr is not None
        threading.Thread(target=_pass_lines, args=(process.stdout, self._answers), daemon=True).start()
        self._listener = threading.Thread(target=self._listen, args=(process.stderr,), daemon=True)
        self._listener.start()

    def _child_environment(self, config: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in self._environment.items()
            if (name == _KEPT or not name.startswith("KAGGLE_")) and name not in _TALKATIVE
        }
        # A folder of its own: the package makes one on import, and would read another kaggle.json there. UTC: it
        # compares local times with the server's.
        return {**kept, **self._credentials.environment, "KAGGLE_CONFIG_DIR": config, "TZ": "UTC"}

    def _listen(self, stream: IO[str]) -> None:
        with contextlib.suppress(ValueError):  # closed while waiting
            for line in stream:
                # Universal newlines: each redrawing of a progress bar is a line.
                self._said.append(line.strip())
                self._lines += 1

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                assert stream is not None
                with contextlib.suppress(OSError):
                    stream.close()
            self._process = None
        self._closing.close()


def _pass_lines(stream: IO[str], into: queue.Queue[str | None]) -> None:
    with contextlib.suppress(ValueError):  # closed while waiting
        for line in stream:
            into.put(line)
    into.put(None)
