"""Where a result was computed, beyond its key: the lock, packages that differ from it, CPU, commit, image."""

from __future__ import annotations

import os
import platform
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from packaging.requirements import Requirement

from carvana.computing.cpu import cpu_kind
from carvana.files import sha256_of
from carvana.revision import IMAGE_VARIABLE, ROOT, revision

LOCK: Final = ROOT / "envs" / "requirements.txt"


@cache
def computed_in() -> dict[str, Any]:
    """The environment of this process, as JSON values.

    Returns:
        python: its release; lock: SHA-256 of the lock; other_than_locked: packages that are installed in another
        release than the lock's, or not at all; cpu: see `cpu_kind`; revision: of the code, see `revision`; image: the
        container image's digest, None outside one.
    """
    return {
        "python": platform.python_version(),
        "lock": sha256_of(LOCK),
        "other_than_locked": other_than_locked(LOCK.read_text(encoding="utf-8")),
        "cpu": cpu_kind(),
        "revision": revision(),
        "image": os.environ.get(IMAGE_VARIABLE),
    }


def other_than_locked(lock: str) -> list[str]:
    """Packages of the lock's text that are installed otherwise, such as `numpy 2.4.5`; builds do not count."""
    different = []
    for line in re.findall(r"^\w[^\\\n]*", lock, re.MULTILINE):
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            found = version(wanted.name).partition("+")[0]
        except PackageNotFoundError:
            different.append(f"{wanted.name} missing")
        else:
            if not wanted.specifier.contains(found, prereleases=True):
                different.append(f"{wanted.name} {found}")
    return different
