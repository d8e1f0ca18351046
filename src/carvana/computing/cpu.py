"""Which kind of CPU this is, as far as the last bits of float sums depend on it."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_CPUINFO: Final = Path("/proc/cpuinfo")
_NUMBERS: Final = ("cpu family", "model", "stepping")


def cpu_name(cpuinfo: Path = _CPUINFO) -> str:
    """The maker's name and numbers, such as `AMD EPYC 26 2 1`: different CPUs are sold under one name.

    Where the system does not tell, its name for the CPU.
    """
    try:
        described = _first_processor(cpuinfo)
        return " ".join(described[key] for key in ("model name", *_NUMBERS))
    except (OSError, KeyError):
        return platform.processor() or platform.machine()


def cpu_kind(cpuinfo: Path = _CPUINFO, caches: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> str:
    """Maker and model, caches and a digest of the instruction sets: libraries choose their kernels by all of these.

    Returns:
        Such as `AuthenticAMD 26 2 1, caches 48K 32K 1024K 32768K, flags 5d3f0c9a`; where the system does not tell, its
        name for the CPU.
    """
    try:
        described = _first_processor(cpuinfo)
        model = " ".join(described[key] for key in ("vendor_id", *_NUMBERS))
        sizes = " ".join(path.read_text(encoding="ascii").strip() for path in sorted(caches.glob("index*/size")))
        flags = " ".join(sorted(described["flags"].split()))
    except (OSError, KeyError):
        return platform.processor() or platform.machine()
    return f"{model}, caches {sizes}, flags {hashlib.sha256(flags.encode()).hexdigest()[:8]}"


def computes_bfloat16(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether it has units for bfloat16; without them the same is computed more slowly than in float32."""
    try:
        return "avx512_bf16" in _first_processor(cpuinfo)["flags"].split()
    except (OSError, KeyError):
        return False


def _first_processor(cpuinfo: Path) -> Mapping[str, str]:
    described = cpuinfo.read_text(encoding="utf-8").partition("\n\n")[0]
    lines = (line.partition(":") for line in described.splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}
