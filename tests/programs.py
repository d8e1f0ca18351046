"""The checkout's scripts and this Python's programs, for tests that start them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from carvana.revision import ROOT

SCRIPTS: Final = ROOT / "workflow" / "scripts"
PROGRAMS: Final = Path(sys.executable).parent
SNAKEMAKE: Final = PROGRAMS / "snakemake"


def with_programs(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment, with this Python's programs before all others."""
    return {**environment, "PATH": f"{PROGRAMS}{os.pathsep}{environment['PATH']}"}


def without_credentials() -> dict[str, str]:
    """This process's environment without whatever credentials of Kaggle's the person has who runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KAGGLE_")}
