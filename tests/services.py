"""Real services for tests, on Debian as root: their packages come with apt, and they end by their process number."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

import pytest

UNREADABLE: Final = Path("/proc/self/mem")
"""Reading it from its beginning is an input/output error, as of a disk that does not answer."""


def leave_out(reason: str) -> NoReturn:
    """Skip the test; fail it where someone asked for it by name (`make test-container`, `make test-slurm`)."""
    if os.environ.get("CARVANA_WHOLE"):
        pytest.fail(reason)
    pytest.skip(reason)


def install(programs: Sequence[str], packages: Sequence[str]) -> None:
    """Have the programs on this machine; the test is left out where that cannot be."""
    if all(shutil.which(program) for program in programs):
        return
    if os.getuid() != 0 or not shutil.which("apt-get"):
        leave_out(f"needs {', '.join(programs)}, and installs them only as root on Debian")
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", "--quiet", *command], capture_output=True, text=True, env=_unattended())
        if done.returncode:
            leave_out(f"apt-get {command[0]} fails here: {done.stderr.strip()[-300:]}")


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of this size (as mount writes it) in a new folder; the test is left out where none can be mounted."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        leave_out(f"no tmpfs can be mounted here, which takes root: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _unattended() -> Mapping[str, str]:
    # No service is started by an installation: these here start their own.
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}


@contextlib.contextmanager
def running(
    command: Sequence[str], log: Path, ready: Callable[[], bool], environment: Mapping[str, str] = os.environ
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has become ready; afterwards it is gone."""
    with log.open("ab") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env=environment)
    try:
        end = time.monotonic() + 60
        while not ready():
            assert process.poll() is None, log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < end, log.read_text(errors="replace")[-3000:]
            time.sleep(0.1)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
