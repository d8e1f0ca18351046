"""A container from start to end: what it prints comes as it is printed, signals go in, nothing is left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import signal
import struct
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator, Mapping
from http.client import CONFLICT
from types import FrameType
from typing import Any, Final

from docker.client import DockerClient
from docker.errors import APIError, DockerException
from docker.utils.socket import STDERR, frames_iter

from carvana.container.gpus import NO_RUNTIME
from carvana.errors import UserError

FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


def run(client: DockerClient, settings: Mapping[str, Any]) -> int:
    """Run a container and return its program's exit code.

    Args:
        client: of the engine.
        settings: of `containers.create`; with `tty`, this terminal becomes the container's.

    Raises:
        UserError: it cannot be started, or the engine ended.
    """
    container = None
    try:
        # From here on a signal is the program's.
        with _forwarding() as signals:
            container = client.containers.create(**settings)
            events = client.events(
                decode=True, since=int(time.time()) - 1, filters={"container": container.id, "event": "die"}
            )
            terminal = bool(settings.get("tty"))
            streams = {"stdin": terminal, "stdout": True, "stderr": True, "stream": True}
            socket = container.attach_socket(params=streams)
            container.start()
            signals.send_to(container)
            with _raw_terminal(container, socket) if terminal else contextlib.nullcontext():
                _copy_output(container, socket, terminal)
            return int(next(iter(events))["Actor"]["Attributes"]["exitCode"])
    except APIError as error:
        raise UserError(_explained(str(error.explanation or error))) from None
    except (DockerException, StopIteration, OSError) as error:
        raise UserError(f"the Docker engine ended, and this run with it ({error!r}); start both again") from None
    finally:
        if container is not None:
            with contextlib.suppress(DockerException, OSError):
                _remove(container)


def _remove(container: Any) -> None:
    try:
        container.remove(force=True)
    except APIError as error:
        # The engine is at it already.
        if error.status_code == CONFLICT:
            container.wait(condition="removed", timeout=60)


def _explained(reason: str) -> str:
    if "could not select device driver" in reason:
        return NO_RUNTIME
    if "nvidia-container" in reason:
        return f"the GPUs that --gpus names cannot be given to a container ({reason}); `nvidia-smi` lists them"
    return f"the container does not start: {reason}"


def _copy_output(container: Any, socket: Any, terminal: bool) -> None:
    for stream, content in frames_iter(socket, terminal):
        out = sys.stderr.buffer if stream == STDERR else sys.stdout.buffer
        try:
            out.write(content)
            out.flush()
        except BrokenPipeError:
            # As the kernel would do to a program of this machine.
            container.kill(signal="SIGTERM")
            return


class _Signals:
    """Signals that came, sent on by a thread: a handler may come in the midst of a request to the engine.

    It may come in the midst of another handler too, which a simple queue allows.
    """

    def __init__(self) -> None:
        self._came: queue.SimpleQueue[signal.Signals | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def note(self, number: int, frame: FrameType | None) -> None:
        self._came.put(signal.Signals(number))

    def send_to(self, container: Any) -> None:
        self._thread = threading.Thread(target=self._send, args=(container,), daemon=True)
        self._thread.start()

    def _send(self, container: Any) -> None:
        while (number := self._came.get()) is not None:
            with contextlib.suppress(DockerException, OSError):
                container.kill(signal=number.name)

    def end(self) -> None:
        self._came.put(None)
        if self._thread:
            self._thread.join()


@contextlib.contextmanager
def _forwarding() -> Iterator[_Signals]:
    signals = _Signals()
    before = {number: signal.signal(number, signals.note) for number in FORWARDED}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signals.end()


@contextlib.contextmanager
def _raw_terminal(container: Any, socket: Any) -> Iterator[None]:
    """Every key goes in, Ctrl-C too, and the size of the window, now and when it changes."""

    def resize(number: int, frame: FrameType | None) -> None:
        height, width, _, _ = struct.unpack("4H", fcntl.ioctl(1, termios.TIOCGWINSZ, bytes(8)))
        with contextlib.suppress(DockerException, OSError):
            container.resize(height=height, width=width)

    def feed() -> None:
        with contextlib.suppress(OSError):
            while content := os.read(0, 4096):
                os.write(socket.fileno(), content)

    settings = termios.tcgetattr(0)
    before = signal.signal(signal.SIGWINCH, resize)
    try:
        tty.setraw(0)
        resize(signal.SIGWINCH, None)
        threading.Thread(target=feed, daemon=True).start()
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, settings)
        signal.signal(signal.SIGWINCH, before)
