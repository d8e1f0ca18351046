"""One worker at a time on a folder, also where several machines share it, as over NFS.

File locks are no help there: NFS forgets or refuses them. Claims are numbered files instead, `claim-1`, `claim-2`, ...,
and the highest one counts. Whoever finds it ended makes the next number; a hard link to a name that must not exist yet
is atomic over NFS too, so one of several succeeds. No claim is ever removed by someone who only thinks that it is dead,
which is where locks by file go wrong. A claim has ended when

- its owner says so (`claim-<n>.ended`), or
- its owner ran on this machine, in this process's namespace, and is not alive any more, or
- its heartbeat, the file's time of change, is older than `STALE_SECONDS` by the clock of the file system.

An owner that was only slow, as after a laptop's sleep, finds the higher number before it writes (`check`) and stops.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from carvana.errors import UserError
from carvana.processes import began, numbered_in
from carvana.reading import read_json

HEARTBEAT_SECONDS: Final = 20.0
# Longer than NFS keeps a file's times from its readers (60 s at most by default), and several heartbeats.
STALE_SECONDS: Final = 180.0
SECONDS_BETWEEN_LOOKS: Final = 1.0


@dataclass(frozen=True)
class Owner:
    """The process that a claim is of.

    Attributes:
        user: its name.
        host: name of the machine.
        boot, namespace: see `processes.numbered_in`.
        process: its number.
        started: when, see `processes.began`; numbers are used again.
    """

    user: str
    host: str
    boot: str
    namespace: str
    process: int
    started: int

    @classmethod
    def me(cls) -> Self:
        """The calling process."""
        return cls(_user(), socket.gethostname(), *numbered_in(), os.getpid(), began(os.getpid()) or 0)

    @classmethod
    def unknown(cls) -> Self:
        """Of a claim that cannot be read, as after a power cut; it is believed until its heartbeat is old."""
        return cls("", "", "", "", 0, 0)

    @property
    def died(self) -> bool:
        """Whether the process is known to have ended; of other machines' and containers' nothing is known."""
        return (self.boot, self.namespace) == numbered_in() and began(self.process) != self.started

    def __str__(self) -> str:
        if not self.process:
            return "a process whose claim is damaged"
        return f"process {self.process} of {self.user} on {self.host}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def _highest(folder: Path) -> int:
    names = (re.fullmatch(r"claim-(\d+)", path.name) for path in folder.glob("claim-*"))
    return max((int(name[1]) for name in names if name), default=0)


def _path(folder: Path, number: int) -> Path:
    return folder / f"claim-{number}"


def _ended(path: Path) -> Path:
    return path.with_name(path.name + ".ended")


def _age(path: Path) -> float:
    """Seconds since the file changed, both times by the file system's own clock."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".clock-") as now:
        now.write(b"0")
        now.flush()
        return os.fstat(now.fileno()).st_mtime - path.stat().st_mtime


def _read(path: Path) -> Owner:
    try:
        return Owner(**read_json(path))
    except (ValueError, TypeError):
        return Owner.unknown()


def owner(folder: Path) -> Owner | None:
    """Who works on the folder now, as far as can be known; needs write access only for other machines' claims."""
    number = _highest(folder)
    path = _path(folder, number)
    if not number or _ended(path).exists():
        return None
    try:
        found = _read(path)
        if found.died:
            return None
        known_alive = (found.boot, found.namespace) == numbered_in()
        return found if known_alive or _age(path) < STALE_SECONDS else None
    except FileNotFoundError:
        return owner(folder) if _highest(folder) > number else None


class Claim:
    """The calling process's claim on a folder, kept alive by a thread until its release. Use as a context manager."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._number = folder, number
        self._path = _path(folder, number)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    @classmethod
    def take(cls, folder: Path, say: Callable[[str], None]) -> Self:
        """Claim the folder, which is made if need be; wait as long as someone else works on it.

        Raises:
            UserError: the folder cannot be written to.
        """
        told: Owner | None = None
        try:
            while True:
                # Whoever had it may have removed it.
                folder.mkdir(parents=True, exist_ok=True)
                if (claim := cls.take_if_free(folder)) is not None:
                    return claim
                holder = owner(folder)
                if holder is not None and holder != told:
                    say(f"waiting for {holder}, which works on the same ({folder})")
                    told = holder
                time.sleep(SECONDS_BETWEEN_LOOKS)
        except OSError as error:
            raise UserError(
                f"{folder} cannot be worked in ({error}): make room there or ask its owner to let you, or name another"
                " folder as `store`"
            ) from None

    @classmethod
    def take_if_free(cls, folder: Path) -> Self | None:
        """Claim a folder that is there; nothing where someone works on it."""
        number = _highest(folder)
        return cls._try(folder, number + 1) if owner(folder) is None else None

    @classmethod
    def _try(cls, folder: Path, number: int) -> Self | None:
        written, path = folder / f".claim-{uuid.uuid4().hex}", _path(folder, number)
        written.write_text(json.dumps(asdict(Owner.me())), encoding="utf-8")
        try:
            os.link(written, path)
        except FileExistsError:
            # Over NFS the answer to a link that was made can be lost, and the second try then finds it.
            if not path.exists() or not path.samefile(written):
                return None
        finally:
            written.unlink()
        for path in folder.glob("claim-*"):
            match = re.fullmatch(r"claim-(\d+)(\.ended)?", path.name)
            if match and int(match[1]) < number:
                path.unlink(missing_ok=True)
        return cls(folder, number)

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            with contextlib.suppress(OSError):
                os.utime(self._path)

    def check(self) -> None:
        """Stop, by a UserError, where another process has taken over from this one."""
        if _highest(self._folder) != self._number:
            raise UserError(
                f"{owner(self._folder) or 'another process'} has taken over, since this one was not heard of for"
                f" {STALE_SECONDS:.0f} s; it goes on from the last saved state, and nothing is to be done"
            )

    def release(self) -> None:
        """Let others work on the folder."""
        self._stop.set()
        with contextlib.suppress(OSError):
            _ended(self._path).touch()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()
