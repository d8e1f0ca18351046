"""Errors that a user can fix become one message and exit code 1; all others keep their traceback."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import Final

# sysexits.h: a temporary failure, try again.
INTERRUPTED: Final = 75
# What shells give for a program that Ctrl-C ended.
ENDED_BY_HAND: Final = 130

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
# What is wrong with a path, and not with the program.
_REMEDIES: Final = {
    errno.EACCES: "change its permissions, or name another place",
    errno.EPERM: "ask its owner, or name another place",
    errno.EROFS: "name another place",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "mend the links",
}


class UserError(Exception):
    """Something outside the program is wrong: the message says what, and what to do about it."""


class Interrupted(Exception):  # noqa: N818 (nothing is wrong)
    """The job was asked to stop and has kept what it had; started again, it continues."""


def main_guard(main: Callable[[], None]) -> None:
    """Run a script's `main`; a `UserError`, a path that cannot be used, a full disk or an output that nobody reads
    becomes a message and exit code 1, `Interrupted` 75, and Ctrl-C, where the script does not handle it itself, 130.
    """
    try:
        main()
    except BrokenPipeError as error:
        # Most likely whoever reads the output has seen enough, as `head` has.
        with contextlib.suppress(OSError):
            print(f"error: {error}; the output was not read to its end", file=sys.stderr)
        _empty_streams()
        raise SystemExit(1) from None
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except Interrupted as interruption:
        with contextlib.suppress(OSError):
            print(f"interrupted: {interruption}", file=sys.stderr)
        _empty_streams()
        raise SystemExit(INTERRUPTED) from None
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):
            print("interrupted", file=sys.stderr)
        _empty_streams()
        raise SystemExit(ENDED_BY_HAND) from None
    except Exception as error:
        if isinstance(error, OSError) and error.filename and error.errno in _REMEDIES:
            print(f"error: {error.filename}: {error.strerror}; {_REMEDIES[error.errno]}", file=sys.stderr)
            raise SystemExit(1) from None
        # Libraries in C and Rust wrap it in errors of their own.
        if not any(os.strerror(number) in str(error) for number in _FULL):
            raise
        print(
            f"error: the disk is full ({error}); make room and start again: what is complete stays, and nothing"
            " half-written has a final name",
            file=sys.stderr,
        )
        # Not the interpreter's own end: HDF5 crashes while it tidies up a file that it could not write.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def _empty_streams() -> None:
    """Write out what stdout and stderr hold, or, where their reader is gone, drop it: Python would end with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with open(os.devnull, "w") as nothing:  # noqa: PTH123 - a device
                os.dup2(nothing.fileno(), stream.fileno())
