"""A job that is asked to stop saves what it has and ends with an exit code of its own: it can be started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from types import FrameType, TracebackType
from typing import Final, Self

from carvana.errors import INTERRUPTED, Interrupted

# SIGTERM: Slurm, Docker, Kubernetes, Snakemake. SIGINT: Ctrl-C. SIGUSR1: by `sbatch --signal=USR1@120`, two minutes
# before a job's time is up.
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
WALL_TIME: Final = signal.SIGUSR1

# A step that is longer than this is not waited for: the last saved state has to do.
SECONDS_TO_END: Final = 25.0


def say(message: str) -> None:
    """Print to stderr, wherever that leads: what reads it may have been stopped already."""
    with contextlib.suppress(OSError, ValueError):
        print(message, file=sys.stderr, flush=True)


class Interruption:
    """While this context manager is entered, a signal is noted, and acted upon where the work can be left.

    Args:
        seconds: after the signal, when the process ends in any case.
    """

    def __init__(self, seconds: float = SECONDS_TO_END) -> None:
        self._seconds = seconds
        self._signal: signal.Signals | None = None
        self._process = os.getpid()
        # Of all ways to reach another thread, the one that a signal handler may use at any moment.
        self._told: SimpleQueue[signal.Signals | None] = SimpleQueue()
        self._watch = threading.Thread(target=self._watched, daemon=True)

    @property
    def requested(self) -> bool:
        """Whether a signal has come."""
        return self._signal is not None

    def act(self) -> None:
        """End the work if a signal has come; call this when all is saved. Raises Interrupted."""
        if self._signal is not None:
            raise Interrupted(f"stopped by {self._signal.name}")

    def __enter__(self) -> Self:
        self._watch.start()
        self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._told.put(None)
        self._watch.join()
        if self._signal == WALL_TIME and kind is Interrupted:
            _requeue()

    def _note(self, number: int, frame: FrameType | None) -> None:
        # It prints nothing: the signal may have come in the midst of a print, which cannot be entered twice.
        # Forked loading processes leave it to the process that they load for.
        if self._signal is None and os.getpid() == self._process:
            self._signal = signal.Signals(number)
            self._told.put(self._signal)

    def _watched(self) -> None:
        """Say that a signal has come, and end the process where it is not left in time."""
        came = self._told.get()
        if came is None:
            return
        say(f"{came.name}: saving, then ending; the next start continues")
        try:
            self._told.get(timeout=self._seconds)
        except Empty:
            say(f"the running step takes more than {self._seconds:.0f} s: ending with the last saved state")
            if came == WALL_TIME:
                _requeue()
            os._exit(INTERRUPTED)


@contextlib.contextmanager
def ended_by_signals(requeued: bool) -> Iterator[None]:
    """For work, or a wait, that has nothing to save: a signal raises Interrupted at once.

    Args:
        requeued: whether a Slurm job whose time is up is put back into its queue. Work that would only begin again, and
            not end in the same time, must not be.
    """
    came: list[signal.Signals] = []

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() == process:
            came.append(signal.Signals(number))
            raise Interrupted(f"stopped by {came[-1].name}")

    process = os.getpid()
    before = {number: signal.signal(number, end) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if requeued and WALL_TIME in came:
            _requeue()


def _requeue() -> None:
    """Put this Slurm job back into its queue, where this is one."""
    job, program = os.environ.get("SLURM_JOB_ID"), shutil.which("scontrol")
    if job and program:
        answer = subprocess.run([program, "requeue", job], capture_output=True, text=True)
        say(f"Slurm job {job} requeued" if answer.returncode == 0 else f"scontrol requeue: {answer.stderr.strip()}")
