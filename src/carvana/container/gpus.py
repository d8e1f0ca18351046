"""Which GPUs a container gets."""

from __future__ import annotations

import re
from typing import Final

from docker.types import DeviceRequest

from carvana.errors import UserError

NO_RUNTIME: Final = (
    "Docker has no NVIDIA runtime, so no container gets a GPU: install NVIDIA's driver and the package"
    " nvidia-container-toolkit, then `nvidia-ctk runtime configure --runtime=docker` and restart Docker; or compute on"
    " the CPU: --gpus none before the command, and --resources gpu=0 in it"
)


def requests(wish: str) -> list[DeviceRequest]:
    """The engine's form of `all`, `none`, or a list of indices or UUIDs. Raises UserError for anything else."""
    if wish == "none":
        return []
    if wish == "all":
        return [DeviceRequest(count=-1, capabilities=[["gpu"]])]
    names = wish.split(",")
    if not all(re.fullmatch(r"\d+|(GPU|MIG)-[\w-]+", name) for name in names):
        raise UserError(f"--gpus {wish}: write all, none, or a list such as 0,2 of indices or UUIDs")
    return [DeviceRequest(device_ids=names, capabilities=[["gpu"]])]


def choose(wish: str | None, cpu: bool, here: int) -> str:
    """The wish, or what fits where there is none.

    Args:
        wish: of the caller.
        cpu: whether the command itself wants the CPU.
        here: GPUs that this machine shows.
    """
    return wish or ("none" if cpu or not here else "all")
