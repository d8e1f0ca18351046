"""Other people's accounts, for tests that run as root."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


@contextlib.contextmanager
def passable(*folders: Path) -> Iterator[None]:
    """Everyone can pass these folders, and those of pytest above them."""
    above = [path for folder in folders for path in folder.parents if path.name.startswith(("pytest-", "popen-"))]
    before = {path: path.stat().st_mode for path in (*folders, *above)}
    for path, mode in before.items():
        path.chmod(mode | 0o011)
    yield
    for path, mode in before.items():
        path.chmod(mode)


def as_user(user: int, group: int, groups: Sequence[int], function: Callable[[], object]) -> str:
    """What a process of this user is told, or its exit code; `nothing` where all went well."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        told = "nothing"
        try:
            os.setgroups(groups)
            os.setgid(group)
            os.setuid(user)
            function()
        except SystemExit as end:
            told = f"exit {end.code}"
        except BaseException as error:
            told = str(error) or repr(error)
        finally:
            os.write(writing, told.encode())
            os._exit(0)
    os.close(writing)
    os.waitpid(process, 0)
    with os.fdopen(reading) as stream:
        return stream.read()
