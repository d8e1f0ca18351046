"""How PyTorch computes: reproducibly, on a fixed number of threads, in the precision that the configuration names."""

from __future__ import annotations

import os
import resource
import weakref
from collections.abc import Callable

import cv2
import torch
from torch import Tensor, nn

from carvana.computing.allocation import keep_freed_memory
from carvana.computing.cpu import cpu_name

Forward = Callable[[Tensor], Tensor]


def configure(threads: int, precision: str, autotune: bool = False) -> None:
    """Set PyTorch's global switches; call it once, before any tensor is made.

    Args:
        threads: CPU threads of one operation. The sums of float32 convolutions depend on it, so it is part of a run.
        precision: one of `precision.PRECISIONS`.
        autotune: whether to compute with whatever is fastest, deterministic or not; for a GPU.
    """
    torch.set_num_threads(threads)
    # Images are prepared side by side, each in one thread.
    cv2.setNumThreads(0)
    # Without it, cuBLAS promises no order of sums. It is read when the first product is computed.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=not autotune, warn_only=True)
    # It would fill new memory with NaN, to find code that reads it unwritten: 4 % of a training step on a CPU.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = autotune
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    keep_freed_memory()


def compute_in(network: nn.Module, precision: str, device: torch.device) -> nn.Module:
    """The network, computing in the precision; it takes and returns float32 in any.

    Args:
        network: on `device`; in evaluation mode it is only predicted with, and its weights may be rounded for good.
        precision: one of `precision.PRECISIONS`; `configure` has been called with the same.
        device: the CPU or a GPU.
    """
    if precision != "bf16":
        return network
    if not network.training:
        # Autocast would round the same weights anew for every image.
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                module.to(torch.bfloat16)
    forward = torch.autocast(device.type, torch.bfloat16)(forward_of(network))

    def forward_in_bfloat16(images_N3HW: Tensor) -> Tensor:
        output_N1HW: Tensor = forward(images_N3HW)
        return output_N1HW.float()

    network.forward = forward_in_bfloat16
    return network


def forward_of(network: nn.Module) -> Forward:
    """What the network does with images, to be part of what it shall do: it does not keep the network alive.

    A network that kept itself alive would keep its GPU memory too, until Python looks for such circles, and that memory
    does not make it look. Whoever calls the result keeps the network.
    """
    replaced: Forward | None = vars(network).get("forward")
    if replaced is not None:
        return replaced
    forward, reference = type(network).forward, weakref.ref(network)

    def forward_of_network(images_N3HW: Tensor) -> Tensor:
        output_N1HW: Tensor = forward(reference(), images_N3HW)
        return output_N1HW

    return forward_of_network


def device_name(device: str) -> str:
    """The device (`cuda` or `cpu`) as its maker calls it; a CPU with its maker's numbers, see `cpu.cpu_name`."""
    return torch.cuda.get_device_name() if device == "cuda" else cpu_name()


def peak_memory_bytes() -> int:
    """The most memory that this process has occupied so far, without its loading processes."""
    # Linux counts in KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
