"""Which process of which machine this is, so that another one can tell later whether it still runs."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

import psutil


def numbered_in() -> tuple[str, str]:
    """What identifies the machine since its start, and the namespace in which its processes are numbered.

    Containers have namespaces of their own. Where the system has none and does not number its starts, as macOS, the
    machine's own number has to do: a process is known by its beginning too.
    """
    if sys.platform == "linux":
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return boot, str(Path("/proc/self/ns/pid").readlink())
    else:
        return f"{uuid.getnode():012x}", ""


def began(process: int) -> int | None:
    """When a process of this namespace began, in the system's ticks; None if it has ended.

    One that has ended and whose parent has not noticed yet counts as ended.
    """
    if sys.platform == "linux":
        # psutil adds the machine's start, which moves when its clock is set.
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        state, ticks = fields[0], int(fields[19])
        return None if state in "ZX" else ticks
    else:
        try:
            found = psutil.Process(process)
            return None if found.status() == psutil.STATUS_ZOMBIE else round(found.create_time() * 1e6)
        except psutil.NoSuchProcess:
            return None
