"""Options of the workflow's scripts, as a shell takes them."""

from __future__ import annotations

import shlex


def option(name: str, *values: object) -> str:
    """`--name value value`; a value that a shell would take apart is quoted."""
    return shlex.join([f"--{name}", *map(str, values)])
