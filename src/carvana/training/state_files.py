"""The files of a training's saved states, as far as they can be read without PyTorch."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def paths_of(folder: Path, number: int) -> tuple[Path, Path]:
    """A state's tensors and its record."""
    stem = f"state-{number:06}"
    return folder / f"{stem}.safetensors", folder / f"{stem}.json"


def state_numbers(folder: Path) -> list[int]:
    """The numbers of the saved states that have a file, the newest first."""
    names = (path.name for path in folder.glob("state-*"))
    found = {int(match[1]) for name in names if (match := re.fullmatch(r"state-(\d+)\.(safetensors|json)", name))}
    return sorted(found, reverse=True)


def record_text(body: Mapping[str, Any]) -> str:
    """A record's text: what it says, under its own SHA-256."""
    return json.dumps({"sha256": _digest(body), "body": body}) + "\n"


def read_record(path: Path) -> dict[str, Any]:
    """What a record says. Raises ValueError where the file is not what was written, OSError where it is not there."""
    record = json.loads(path.read_text(encoding="utf-8"))
    try:
        body = record["body"]
        if _digest(body) != record["sha256"]:
            raise ValueError(f"{path.name} is damaged")
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is damaged: {error!r}") from None
    return dict(body)


def _digest(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def newest_values(folder: Path) -> dict[str, Any] | None:
    """The values of the newest state whose record is whole; nothing if there is none."""
    for number in state_numbers(folder):
        try:
            return dict(read_record(paths_of(folder, number)[1])["values"])
        except (OSError, ValueError):
            continue
    return None


def place_of(values: Mapping[str, Any]) -> str:
    """Where a saved state is, for people: `epoch 3, training batch 12`."""
    place, epoch = values["place"], f"epoch {values['next_epoch'] + 1}"
    if place["phase"] == "valid":
        return f"{epoch}, validation batch {place['batches'] + 1}"
    return f"{epoch}, training batch {place['batches'] + 1}" if place["batches"] else f"the beginning of {epoch}"
