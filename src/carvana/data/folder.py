"""Where the competition's files are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def data_folder(config: Mapping[str, Any]) -> Path:
    """The configured folder or, where none is, one for each competition: files of one are not taken for another's."""
    return Path(config["data"]["folder"] or Path("data", config["competition"]))
