"""Whether PyTorch can compute on a leased GPU: `nvidia-smi` shows those too that are too old for it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Final

import torch

from carvana.computing.lease import CPU_SWITCH, lease_one_if_free
from carvana.computing.nvidia import VISIBLE_VARIABLE
from carvana.errors import UserError

# NVIDIA's Ampere. Before it PyTorch computes bfloat16 all the same, many times slower and in more memory than float32.
_FIRST_WITH_BF16: Final = (8, 0)


def unusable(devices: Sequence[torch.device], precision: str) -> str | None:
    """Why one of these devices cannot compute in a precision, and what to do about it; None where all can.

    Args:
        devices: the CPU, of which nothing is asked, or GPUs.
        precision: one of `precision.PRECISIONS`.
    """
    if devices[0].type == "cpu":
        return None
    if torch.version.cuda is None:
        return f"PyTorch {torch.__version__} is a build for the CPU; delete .venv, and `make env` without TORCH_CPU"
    if not torch.cuda.is_available():
        return (
            f"PyTorch {torch.__version__}, built for CUDA {torch.version.cuda}, cannot use the GPU that `nvidia-smi`"
            " shows; update its driver"
        )
    for device in devices:
        name, capability = torch.cuda.get_device_name(device), torch.cuda.get_device_capability(device)
        told, leave_out = f"{name} has compute capability {_dotted(capability)}", f"leave it out of {VISIBLE_VARIABLE}"
        if capability < (oldest := _oldest_supported()):
            return f"{told}, and PyTorch {torch.__version__} wants {_dotted(oldest)} or above; {leave_out}"
        if precision == "bf16" and capability < _FIRST_WITH_BF16:
            return f"{told}, and bf16 wants {_dotted(_FIRST_WITH_BF16)} or above; set `precision: exact` or {leave_out}"
    return None


def require_usable(devices: Sequence[torch.device], precision: str) -> None:
    """Check the devices before anything is computed on them; arguments as for `unusable`. Raises UserError."""
    if reason := unusable(devices, precision):
        raise UserError(f"{reason}, or, {CPU_SWITCH}")


def free_gpu_or_cpu(precision: str) -> torch.device:
    """A free GPU that supports the precision, or else the CPU, for a command that can run on either.

    If the machine has a GPU but it is not used, stderr says why.
    """
    device = torch.device(lease_one_if_free())
    if reason := unusable([device], precision):
        print(f"using the CPU: {reason}", file=sys.stderr)
        return torch.device("cpu")
    return device


def _dotted(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"


def _oldest_supported() -> tuple[int, int]:
    """The lowest compute capability that this PyTorch has code for, such as 7.5 where it names sm_75."""
    numbers = [int(found[1]) for arch in torch.cuda.get_arch_list() if (found := re.match(r"sm_(\d+)", arch))]
    return divmod(min(numbers, default=0), 10)
