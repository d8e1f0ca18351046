"""Which kind of CPU this is, as far as the last bits of float sums depend on it."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_DECIDING: Final = ("vendor_id", "cpu family", "model", "stepping")


def cpu_kind(cpuinfo: Path = Path("/proc/cpuinfo"), caches: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> str:
    """Maker and model, caches and a digest of the instruction sets: libraries choose their kernels by all of these.

    Returns:
        Such as `AuthenticAMD 26 2 1, caches 48K 32K 1024K 32768K, flags 5d3f0c9a`; where the system does not tell, its
        name for the CPU.
    """
    try:
        described = _first_processor(cpuinfo.read_text(encoding="utf-8"))
        model = " ".join(described[key] for key in _DECIDING)
        sizes = " ".join(path.read_text(encoding="ascii").strip() for path in sorted(caches.glob("index*/size")))
        flags = " ".join(sorted(described["flags"].split()))
    except (OSError, KeyError):
        return platform.processor() or platform.machine()
    return f"{model}, caches {sizes}, flags {hashlib.sha256(flags.encode()).hexdigest()[:8]}"


def _first_processor(cpuinfo: str) -> Mapping[str, str]:
    lines = (line.partition(":") for line in cpuinfo.partition("\n\n")[0].splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}
