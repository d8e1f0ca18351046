"""The text that a submission is sent with: what made it, and which file it is."""

from __future__ import annotations

from typing import Final

_COMMIT_DIGITS: Final = 12
_IMAGE_DIGITS: Final = 12
# 64 bits: enough to tell the few files of one competition apart.
_FILE_DIGITS: Final = 16


def describe(commit: str, edition: str, image_digest: str, sha256: str) -> str:
    """For example: `carvana commit 9a1f278a7b6c, recipes released, image sha256:0123456789ab, file 0123456789abcdef`.

    Args:
        commit: see `carvana.revision`; its first digits are told, and whether files differ from it.
        edition: of the recipes.
        image_digest: of the container image that it runs in, `sha256:<64 digits>`; empty: it runs in none.
        sha256: of the file that is sent.
    """
    digits, dash, dirty = commit.partition("-")
    commit = digits[:_COMMIT_DIGITS] + dash + dirty
    image = f"image {image_digest[: len('sha256:') + _IMAGE_DIGITS]}, " if image_digest else ""
    return f"carvana commit {commit}, recipes {edition}, {image}{file_mark(sha256)}"


def file_mark(sha256: str) -> str:
    """The part of a description that says which file it was sent with."""
    return f"file {sha256[:_FILE_DIGITS]}"
