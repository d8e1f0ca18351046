"""Temporary folders beside what they become, and what killed processes left of theirs."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PREFIX: Final = ".staging-"
_LOCK: Final = "lock"


@contextlib.contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """Give an empty folder on the parent's disk; what is still in it at the end is deleted.

    A killed process cannot delete its own, which may hold many gigabytes: the next one does. A living process holds a
    lock in its folder, which the kernel drops when the process ends.

    Args:
        parent: made if need be.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _clear(parent)
    with tempfile.TemporaryDirectory(dir=parent, prefix=_PREFIX) as temporary:
        unlocked = Path(temporary, f"new-{_LOCK}")
        with unlocked.open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            # Its name appears with the lock on it: else another process could be faster to lock it.
            unlocked.rename(Path(temporary, _LOCK))
            folder = Path(temporary, "content")
            folder.mkdir()
            yield folder


def _clear(parent: Path) -> None:
    """Delete the folders that nobody holds a lock in."""
    for left in parent.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (left / _LOCK).open("r+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
