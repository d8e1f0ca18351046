"""The machine's NVIDIA GPUs, as `nvidia-smi` tells them and as CUDA_VISIBLE_DEVICES chooses among them."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Final

from carvana.errors import UserError

VISIBLE_VARIABLE: Final = "CUDA_VISIBLE_DEVICES"


def devices() -> list[tuple[str, str]]:
    """The machine's GPUs as (index, UUID), and its MIG instances as ("", UUID); nothing where there is no driver.

    Raises:
        UserError: `nvidia-smi` is there and fails.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    answer = subprocess.run([program, "-L"], capture_output=True, text=True)
    if answer.returncode != 0:
        told = (answer.stdout + answer.stderr).strip()
        raise UserError(f"`nvidia-smi -L` fails ({told}): mend the driver")
    return re.findall(r"^\s*(?:GPU (\d+):|MIG ).*\(UUID: (\S+)\)", answer.stdout, flags=re.MULTILINE)


@dataclass(frozen=True)
class Memory:
    """A GPU's memory, in GiB: all that it has, and what no program uses."""

    total: float
    free: float


def memory() -> dict[str, Memory]:
    """Memory of the machine's GPUs by UUID. MIG instances are not among them: `nvidia-smi` does not tell theirs."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return {}
    asked = "--query-gpu=uuid,memory.total,memory.free"
    answer = subprocess.run([program, asked, "--format=csv,noheader,nounits"], capture_output=True, text=True)
    found = re.findall(r"^(\S+), (\d+), (\d+)$", answer.stdout, flags=re.MULTILINE)
    return {uuid: Memory(int(total) / 1024, int(free) / 1024) for uuid, total, free in found}


def visible(machine: list[tuple[str, str]], wish: str | None) -> list[str]:
    """UUIDs of the devices that CUDA can be told to show under CUDA_VISIBLE_DEVICES=`wish` (None: not set).

    As CUDA does, a UUID may be shortened, and the first name that fits no device ends the list. A GPU that is divided
    counts as its MIG instances, of which CUDA by itself would show the first alone.
    """
    chosen = [uuid for _, uuid in machine] if wish is None else _named(machine, wish)
    instances: dict[str, list[str]] = {}
    # The machine lists a GPU's instances behind it.
    for _, uuid in machine:
        if is_instance(uuid):
            instances[next(reversed(instances))].append(uuid)
        else:
            instances[uuid] = []
    return list(dict.fromkeys(one for uuid in chosen for one in instances.get(uuid) or [uuid]))


def _named(machine: list[tuple[str, str]], wish: str) -> list[str]:
    chosen: list[str] = []
    for name in (part.strip() for part in wish.split(",")):
        fitting = [uuid for index, uuid in machine if name and (name == index or uuid.startswith(name))]
        if len(fitting) != 1:
            break
        chosen += fitting
    return chosen


def is_instance(uuid: str) -> bool:
    """Whether the device is a MIG instance: a part of a GPU."""
    return uuid.startswith("MIG-")
