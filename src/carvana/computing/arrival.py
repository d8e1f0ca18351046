"""Results on their way from the device."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


class Arrival:
    """A tensor being copied to the host while the device continues with queued work."""

    def __init__(self, tensor: Tensor) -> None:
        """Queue the copy on the device's current stream, after all work queued so far."""
        self._host, self._arrived = tensor, None
        if tensor.is_cuda:
            self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._host.copy_(tensor, non_blocking=True)
            # Sleep, not spin: the CPU has images to prepare.
            self._arrived = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            self._arrived.record(torch.cuda.current_stream(tensor.device))

    def array(self) -> NDArray[Any]:
        """The values, once they are there; any thread may wait for them."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return self._host.numpy()
