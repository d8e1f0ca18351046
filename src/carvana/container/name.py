"""The name of the image for a checkout's lock; the workflow's `container:` uses it too, so it needs no Docker."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from carvana.files import sha256_of


def lock_digest(root: Path) -> str:
    """SHA-256 of the lock of what runs."""
    return sha256_of(root / "envs" / "requirements.txt")


def image_name(root: Path, arguments: Mapping[str, str] | None = None) -> str:
    """`carvana:<digest>` of the lock, the Dockerfile and the build's arguments but for pip's, which change no byte."""
    chosen = {name: value for name, value in sorted((arguments or {}).items()) if not name.startswith("PIP_")}
    dockerfile = (root / "docker" / "Dockerfile").read_text(encoding="utf-8")
    content = json.dumps([lock_digest(root), dockerfile, chosen])
    return f"carvana:{hashlib.sha256(content.encode()).hexdigest()[:16]}"
