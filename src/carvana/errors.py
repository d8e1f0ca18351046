"""What a user can mend is told in one message and ends with exit code 1; everything else keeps its traceback."""

from __future__ import annotations

import sys
from collections.abc import Callable


class UserError(Exception):
    """Something outside the program is wrong: the message says what, and what to do about it."""


def main_guard(main: Callable[[], None]) -> None:
    """Run a script's `main`; a `UserError` becomes one message on stderr and exit code 1."""
    try:
        main()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
