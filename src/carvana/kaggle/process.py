"""The process in which the kaggle package runs (`carvana.kaggle.child`), from its parent: asked, watched and ended."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, Final

from carvana.kaggle.failures import Facts

_POLL_SECONDS: Final = 0.1
_LINES_KEPT: Final = 20
_LAST_WORDS_SECONDS: Final = 5.0

# Names the server; everything else that begins with KAGGLE_ would change what the credentials are.
_KEPT: Final = "KAGGLE_API_ENVIRONMENT"
# With these the package prints every header, the authorization too.
_TALKATIVE: Final = ("VERBOSE", "VERBOSE_OUTPUT")


class CallFailedError(Exception):
    """A call without a result.

    Attributes:
        facts: what is known of it; its words may hold secrets.
    """

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self.facts = facts


class PackageProcess:
    """Begins with the first call, and anew with the first one after its end."""

    def __init__(
        self, credentials: Mapping[str, str], stall: float, environment: Mapping[str, str], keep_open: Sequence[int]
    ) -> None:
        """Remember what is needed.

        Args:
            credentials: variables that the package logs in with.
            stall: seconds without progress after which a call fails.
            environment: the variables besides.
            keep_open: descriptors, such as a lock's, that live as long as the process.
        """
        self._credentials = credentials
        self._stall = stall
        self._environment = environment
        self._keep_open = keep_open
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str | None] = queue.Queue()
        self._said: deque[str] = deque(maxlen=_LINES_KEPT)
        self._lines = 0
        self._closing = contextlib.ExitStack()

    def call(self, name: str, arguments: Mapping[str, str], watch: Callable[[], object]) -> Any:
        """The result of a call, as JSON holds it.

        Args:
            name: of the call, see `child.answer`.
            arguments: of the call.
            watch: called many times a second; what it gives changes as the call moves.

        Raises:
            CallFailedError: the package raised an error, its process ended, or for too long neither what the call is
                watched by changed nor the package said anything.
            Anything else: `watch` raised it. After that, an end or a stall there is no process any more.
        """
        if self._process is None:
            self._begin()
        try:
            self._send({"call": name, "arguments": arguments})
            answer = self._wait(watch)
        except BaseException:
            self.end()
            raise
        if "error" in answer:
            raise CallFailedError(Facts.from_json(answer["error"]))
        return answer["result"]

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                assert stream is not None
                with contextlib.suppress(OSError):
                    stream.close()
            self._process = None
        self._closing.close()

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
        return {**kept, **self._credentials, "KAGGLE_CONFIG_DIR": config, "TZ": "UTC"}

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        # A process that has ended is noticed by the missing answer.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()

    def _wait(self, watch: Callable[[], object]) -> dict[str, Any]:
        last, since = (watch(), self._lines), time.monotonic()
        while True:
            with contextlib.suppress(queue.Empty):
                line = self._answers.get(timeout=_POLL_SECONDS)
                if line is None:
                    # What it said last may still be on its way.
                    self._listener.join(_LAST_WORDS_SECONDS)
                    said = " ".join(self._said) or "it said nothing"
                    raise CallFailedError(Facts((), f"its process ended: {said}"))
                answer: dict[str, Any] = json.loads(line)
                return answer
            now = (watch(), self._lines)
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > self._stall:
                raise CallFailedError(Facts(("Stalled",), f"for {self._stall:g} s"))

    def _listen(self, stream: IO[str]) -> None:
        with contextlib.suppress(ValueError):  # closed while waiting
            for line in stream:
                # Universal newlines: each redrawing of a progress bar is a line.
                self._said.append(line.strip())
                self._lines += 1


def _pass_lines(stream: IO[str], into: queue.Queue[str | None]) -> None:
    with contextlib.suppress(ValueError):  # closed while waiting
        for line in stream:
            into.put(line)
    into.put(None)
