"""What is said where a checkpoint is not read."""

from __future__ import annotations

from carvana.errors import UserError


class RefusedError(ValueError):
    """The pickle asks for something that no checkpoint needs, or is not well formed."""


def refused(path: object, problem: object) -> UserError:
    """The error that names the file."""
    return UserError(
        f"{path} is not read: {problem}. A checkpoint holds tensors, containers and layers, and nothing of it is ever"
        " run; get the file from where it was published"
    )
