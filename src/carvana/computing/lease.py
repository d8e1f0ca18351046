"""Which GPU a job may use: a lease on whole devices, one lock file per device, held for the life of the process.

A scheduler that counts GPUs says how many a job has, and not which. Every job therefore locks (`flock`) the files of
the devices that it takes, in a folder that all jobs of the machine share, containers included. The kernel drops the
locks with the last process that holds them, however that process ends, so a lease cannot be left behind.

Lease before torch first looks for GPUs: CUDA reads CUDA_VISIBLE_DEVICES only once.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from carvana.computing.nvidia import VISIBLE_VARIABLE, Memory, devices, is_instance, memory, visible
from carvana.errors import UserError

LOCKS_VARIABLE: Final = "CARVANA_GPU_LOCKS"
# Not under TMPDIR, which users and jobs may have of their own: the locks are the machine's.
FOLDER_OF_LOCKS: Final = Path("/tmp/carvana-gpu")
CPU_SWITCH: Final = "to use the CPU, run with `--resources gpu=0`"
SECONDS_BETWEEN_TRIES: Final = 0.5

# A card sold with 24 GB shows 23.99 GiB, or less where it keeps some for correcting errors.
_LEAST_SHARE: Final = 0.93
# The driver itself and a screen use some memory.
_IDLE_SHARE: Final = 0.1

# Descriptors of the leased devices' lock files: never closed, so that the lease ends with the process.
_held: list[int] = []


def device_class(wanted: int, granted: int) -> str:
    """The device for torch, `cuda` or `cpu`, that `lease` with these numbers is on. Raises UserError as it does."""
    if wanted <= 0 or granted <= 0:
        return "cpu"
    if granted < wanted:
        raise UserError(
            f"this job needs {wanted} GPUs and was granted {granted}; "
            f"allow that many with `--resources gpu={wanted}`, or, {CPU_SWITCH}"
        )
    return "cuda"


def lease(wanted: int, granted: int, gibibytes: float = 0) -> str:
    """Take `wanted` GPUs for the life of this process and its forked children; wait while others have them.

    CUDA_VISIBLE_DEVICES of the caller (a user's, Slurm's, Docker's) bounds the choice: indices, as `nvidia-smi` counts
    them, or UUIDs. Afterwards it holds the UUIDs of the leased devices. A lease on the CPU changes nothing.

    Args:
        wanted: devices that the job is written for.
        granted: devices that the scheduler gave it; 0 is the CPU switch.
        gibibytes: of memory that each of them must have at least.

    Returns:
        The device for torch, `cuda` or `cpu`.

    Raises:
        UserError: fewer devices were granted than wanted, or the machine does not show that many, or that large ones.
    """
    if device_class(wanted, granted) == "cpu":
        return "cpu"
    try:
        machine = devices()
    except UserError as error:
        raise UserError(f"{error}, or, {CPU_SWITCH}") from None
    usable = visible(machine, os.environ.get(VISIBLE_VARIABLE))
    if wanted > 1:
        # CUDA shows a process one MIG instance at most.
        usable = [uuid for uuid in usable if not is_instance(uuid)]
    limited = f" under {VISIBLE_VARIABLE}={os.environ[VISIBLE_VARIABLE]}" if VISIBLE_VARIABLE in os.environ else ""
    if len(usable) < wanted:
        raise UserError(f"this job needs {wanted} GPU(s) and this machine shows {len(usable)}{limited}; {CPU_SWITCH}")
    sizes = memory()
    if gibibytes:
        large = [uuid for uuid in usable if uuid not in sizes or sizes[uuid].total >= _LEAST_SHARE * gibibytes]
        if len(large) < wanted:
            told = ", ".join(f"{sizes[uuid].total:.1f}" for uuid in usable if uuid in sizes)
            raise UserError(
                f"this job needs {wanted} GPU(s) of {gibibytes:g} GiB and this machine shows {len(large)}{limited}"
                f" (they have {told} GiB): set `gpu_memory` lower if you know better, or, {CPU_SWITCH}"
            )
        usable = large
    usable = _idle_first(usable, sizes)
    folder = lock_folder()
    leased = _try_to_lock(folder, usable, wanted)
    if not leased:
        print(f"waiting for {wanted} of {len(usable)} GPU(s), all leased; locks are in {folder}", file=sys.stderr)
    while not leased:
        time.sleep(SECONDS_BETWEEN_TRIES)
        leased = _try_to_lock(folder, usable, wanted)
    os.environ[VISIBLE_VARIABLE] = ",".join(leased)
    return "cuda"


def lease_one_if_free() -> str:
    """Lease a free GPU and return `cuda`, or return `cpu` at once, for a command that can run on either.

    If the machine has a GPU but it is not used, stderr says why.
    """
    try:
        usable = visible(devices(), os.environ.get(VISIBLE_VARIABLE))
    except UserError as error:
        print(f"using the CPU: {error}", file=sys.stderr)
        return "cpu"
    if not usable:
        return "cpu"
    leased = _try_to_lock(lock_folder(), _idle_first(usable, memory()), 1)
    if not leased:
        print(f"using the CPU: all of {len(usable)} GPU(s) are leased", file=sys.stderr)
        return "cpu"
    os.environ[VISIBLE_VARIABLE] = leased[0]
    return "cuda"


def _idle_first(uuids: list[str], sizes: dict[str, Memory]) -> list[str]:
    """Devices that other programs use, of which no lock tells, come last, the fullest at the end."""

    def used(uuid: str) -> float:
        share = 1 - sizes[uuid].free / sizes[uuid].total if uuid in sizes else 0
        return share if share > _IDLE_SHARE else 0

    return sorted(uuids, key=used)


def lock_folder() -> Path:
    """The folder of the lock files, made for every user of the machine. Raises UserError where it cannot be made."""
    given = os.environ.get(LOCKS_VARIABLE)
    folder = Path(given) if given else FOLDER_OF_LOCKS
    with _for_everyone():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"no GPU locks in {folder} ({error}); name a usable folder in {LOCKS_VARIABLE}") from None
    return folder


@contextmanager
def _for_everyone() -> Iterator[None]:
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def _open_lock(path: Path) -> int:
    try:
        with _for_everyone():
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise UserError(f"no GPU lock {path} ({error}); name a usable folder in {LOCKS_VARIABLE}") from None


def _try_to_lock(folder: Path, uuids: list[str], wanted: int) -> list[str]:
    """Lock `wanted` of the devices and return their UUIDs, or lock none and return nothing.

    Jobs try one after the other (`turn.lock`), so that two which need several devices never each hold a part.
    """
    turn = _open_lock(folder / "turn.lock")
    taken: dict[str, int] = {}
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for uuid in uuids:
            descriptor = _open_lock(folder / f"{uuid}.lock")
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            taken[uuid] = descriptor
            if len(taken) == wanted:
                break
        if len(taken) < wanted:
            for descriptor in taken.values():
                os.close(descriptor)
            return []
        for descriptor in taken.values():
            os.set_inheritable(descriptor, True)
        _held.extend(taken.values())
        return list(taken)
    finally:
        os.close(turn)
