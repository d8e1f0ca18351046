"""Texts from elsewhere without what must not be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

HIDDEN: Final = "***"

_PATTERNS: Final = (
    # The query of a download or upload link is as good as a password while the link lives.
    (re.compile(r"(https?://[^\s?'\"<>]+)\?[^\s'\"<>)]*"), rf"\1?{HIDDEN}"),
    (re.compile(r"(\w+://)[^\s/@'\"]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
)


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret, URL query, URL password and authorization header hidden."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            text = text.replace(secret, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
