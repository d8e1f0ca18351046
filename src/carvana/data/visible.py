"""What a folder or an archive holds but for what operating systems leave there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from carvana.errors import UserError

_SYSTEM_NAMES: Final = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


def is_ignored(name: str) -> bool:
    """Whether a file of this name is hidden, or left by an operating system, and says nothing about the data."""
    return name.startswith(".") or name in _SYSTEM_NAMES


def innermost(folder: Path) -> Path:
    """The folder itself or, where it holds nothing but one folder, as unpacked zips often do, that one's innermost.

    Raises:
        UserError: as `visible_entries`.
    """
    while len(entries := visible_entries(folder)) == 1 and entries[0].is_dir():
        folder = Path(entries[0])
    return folder


def visible_entries(folder: Path) -> list[os.DirEntry[str]]:
    """The folder's entries sorted by name, without hidden ones and what operating systems leave behind.

    Raises:
        UserError: the folder may not be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not is_ignored(entry.name)), key=lambda entry: entry.name)
    except PermissionError:
        raise UserError(f"{folder}: may not be read; change its permissions") from None
