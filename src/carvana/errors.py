"""What a user can mend is told in one message and ends with exit code 1; everything else keeps its traceback."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Final

# sysexits.h: a temporary failure, try again.
INTERRUPTED: Final = 75


class UserError(Exception):
    """Something outside the program is wrong: the message says what, and what to do about it."""


class Interrupted(Exception):
    """The job was asked to stop and has kept what it had; started again, it continues."""


def main_guard(main: Callable[[], None]) -> None:
    """Run a script's `main`; a `UserError` becomes one message on stderr and exit code 1, `Interrupted` exit code 75."""
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except Interrupted as interruption:
        with contextlib.suppress(OSError):
            print(f"interrupted: {interruption}", file=sys.stderr, flush=True)
        raise SystemExit(INTERRUPTED) from None
