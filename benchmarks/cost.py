"""What a command takes, as the kernel counts it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.results import ROOT
from carvana.errors import UserError
from carvana.reading import read_json

# A small process between this one and the command: the kernel counts the peak of the process that starts a command as
# the command's own, and this one may have gigabytes.
_METER: Final = """
import json, resource, subprocess, sys
status = subprocess.call(sys.argv[2:], stderr=subprocess.STDOUT)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
with open(sys.argv[1], "w") as file:
    json.dump([status, used.ru_utime + used.ru_stime, peak / 1e6], file)
"""


@dataclass(frozen=True)
class Cost:
    """What commands took that ran one after the other.

    Attributes:
        jobs: number of commands.
        seconds: of processor time, of all of them and of what they started.
        megabytes: peak of the largest process.
    """

    jobs: int
    seconds: float
    megabytes: float


def cost_of(command: Sequence[str]) -> Cost:
    """Run a command in the repository's root. Raises UserError when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        meter = [sys.executable, "-I", "-S", "-c", _METER, str(found), *command]
        said = subprocess.run(meter, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
        status, seconds, megabytes = read_json(found)
    if status:
        raise UserError(f"{' '.join(command)[:200]} ended with {status}:\n{said[-2000:]}")
    return Cost(1, seconds, megabytes)


def together(costs: Sequence[Cost]) -> Cost:
    """Jobs and seconds of all these added up, and the most memory of any."""
    return Cost(
        sum(cost.jobs for cost in costs),
        sum(cost.seconds for cost in costs),
        max(cost.megabytes for cost in costs),
    )
