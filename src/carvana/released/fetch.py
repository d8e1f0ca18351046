"""The one checkpoint that the authors published: a file in a git history, known by its blob's hash."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from carvana import fetching
from carvana.errors import UserError

_CHUNK_BYTES: Final = 1 << 20


def blob_hash(path: Path) -> str:
    """The hash by which git knows a file's content: SHA-1 of its kind, size and bytes."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def fetch_blob(url: str, path: Path, blob: str, pause_seconds: float = 5.0) -> None:
    """Download `url` to `path` unless it is there, and verify that it is this blob.

    Args:
        url: of the published file.
        path: where it goes.
        blob: its hash, see `blob_hash`.
        pause_seconds: before the second attempt; doubled before each further one.

    Raises:
        UserError: the server refuses, cannot be reached, or sends something else; or what is there is something else.
    """

    def problem_of(arrived: Path) -> str | None:
        found = blob_hash(arrived)
        return None if found == blob else f"its git blob is {found}, expected {blob}"

    if not path.exists():
        fetching.fetch(url, path, problem_of, f"get the file elsewhere and put it to {path}", pause_seconds)
    elif problem := problem_of(path):
        raise UserError(f"{path} is not the published checkpoint: {problem}; remove it and try again")
