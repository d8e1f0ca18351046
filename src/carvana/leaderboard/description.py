"""The text that a submission is sent with: what made it, and which file it is."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

_COMMIT_DIGITS: Final = 12
_IMAGE_DIGITS: Final = 12
# 64 bits: enough to tell the few files of one competition apart.
_FILE_DIGITS: Final = 16


def describe(commit: str, edition: str, image_digest: str, sha256: str) -> str:
    """For example: `carvana commit 9a1f278a7b6c, recipes released, image sha256:0123456789ab, file 0123456789abcdef`.

    Args:
        commit: see `commit_of`.
        edition: of the recipes.
        image_digest: of the container image that it runs in, `sha256:<64 digits>`; empty: it runs in none.
        sha256: of the file that is sent.
    """
    image = f"image {image_digest[: len('sha256:') + _IMAGE_DIGITS]}, " if image_digest else ""
    return f"carvana commit {commit}, recipes {edition}, {image}{file_mark(sha256)}"


def file_mark(sha256: str) -> str:
    """The part of a description that says which file it was sent with."""
    return f"file {sha256[:_FILE_DIGITS]}"


def commit_of(root: Path) -> str:
    """The commit that is checked out at `root`, `+changes` where tracked files differ; `unknown` without git."""
    try:
        commit = _git(root, "rev-parse", f"--short={_COMMIT_DIGITS}", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{commit}+changes" if changed else commit


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
