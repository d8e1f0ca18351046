"""Which commit of this project runs, and in which container image, if in one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

# Both are given by docker/run.py: an image cannot contain its own digest, and has no git to ask for the commit of the
# checkout that runs in it.
IMAGE_VARIABLE: Final = "CARVANA_IMAGE"
REVISION_VARIABLE: Final = "CARVANA_REVISION"

_DESCRIBE: Final = ("describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")


def revision(root: Path = ROOT) -> str:
    """The commit that is checked out at `root`, 40 digits, with `-dirty` where tracked files differ from it.

    Where git does not know one, it is what CARVANA_REVISION says, or else `unknown`. A copy of the code inside another
    repository is not taken for that repository's commit.
    """
    root = root.resolve()
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *_DESCRIBE], env=environment, capture_output=True, text=True, timeout=60
        )
        found = answer.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        found = ""
    return found or os.environ.get(REVISION_VARIABLE) or "unknown"
