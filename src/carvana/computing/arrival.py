"""Results on their way from the device."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


class Arrival:
    """A tensor that is being copied to the host, while the device goes on with what it is told next."""

    def __init__(self, tensor: Tensor) -> None:
        """Begin the copy, behind all that the device's current stream was told so far."""
        self._host, self._arrived = tensor, None
        if tensor.is_cuda:
            self._host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._host.copy_(tensor, non_blocking=True)
            # Whoever waits sleeps: the processor is for images.
            self._arrived = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            self._arrived.record(torch.cuda.current_stream(tensor.device))

    def array(self) -> NDArray[Any]:
        """The values, once they are there; any thread may wait for them."""
        if self._arrived is not None:
            self._arrived.synchronize()
        return self._host.numpy()
