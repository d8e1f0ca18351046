"""Which kind of CPU this is, as far as the last bits of float sums depend on it."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_CPUINFO: Final = Path("/proc/cpuinfo")
_X86_NUMBERS: Final = ("cpu family", "model", "stepping")
_ARM_NUMBERS: Final = ("CPU implementer", "CPU part", "CPU variant", "CPU revision")


def cpu_name(cpuinfo: Path = _CPUINFO) -> str:
    """The maker's name and numbers, such as `AMD EPYC 26 2 1`: different CPUs are sold under one name.

    ARM's have numbers only, such as `ARM 0x41 0xd4f 0x0 1`. Where Linux does not tell, or on macOS, the system's name
    for the CPU, such as `Apple M2`.
    """
    try:
        described = _first_processor(cpuinfo)
        return _numbered(described.get("model name", "ARM"), described)
    except (OSError, KeyError):
        return _named_by_the_system()


def cpu_kind(cpuinfo: Path = _CPUINFO, caches: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> str:
    """Maker and model, caches and a digest of the instruction sets: libraries choose their kernels by all of these.

    Returns:
        Such as `AuthenticAMD 26 2 1, caches 48K 32K 1024K 32768K, flags 5d3f0c9a`; where Linux does not tell, or on
        macOS, the system's name for the CPU.
    """
    try:
        described = _first_processor(cpuinfo)
        model = _numbered(described.get("vendor_id", "ARM"), described)
        flags = " ".join(sorted((described["flags"] if "flags" in described else described["Features"]).split()))
        sizes = " ".join(path.read_text(encoding="ascii").strip() for path in sorted(caches.glob("index*/size")))
    except (OSError, KeyError):
        return _named_by_the_system()
    return f"{model}, caches {sizes or 'unknown'}, flags {hashlib.sha256(flags.encode()).hexdigest()[:8]}"


def computes_bfloat16(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether it has x86's units for bfloat16; without them the same is computed more slowly than in float32."""
    try:
        return "avx512_bf16" in _first_processor(cpuinfo)["flags"].split()
    except (OSError, KeyError):
        return False


def _first_processor(cpuinfo: Path) -> Mapping[str, str]:
    described = cpuinfo.read_text(encoding="utf-8").partition("\n\n")[0]
    lines = (line.partition(":") for line in described.splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def _numbered(name: str, described: Mapping[str, str]) -> str:
    numbers = _ARM_NUMBERS if "CPU part" in described else _X86_NUMBERS
    return " ".join([name, *(described[key] for key in numbers)])


def _named_by_the_system() -> str:
    try:
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return platform.processor() or platform.machine()
