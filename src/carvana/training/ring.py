"""Shared memory through which loading processes hand batches over.

Otherwise each batch would be copied into new memory, cleared first, and once more on its way. Of four images of 1280 x
1920 pixels that took 73 ms of a core of an EPYC (Zen 3), where it takes 19 now.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from carvana.arrays import Image
from carvana.training.batches import Uint8Batch

PREFETCHED: Final = 2
"""Batches that a loading process prepares ahead."""

# A process begins a batch when the one that it made PREFETCHED batches before is given to the training, which reads it
# meanwhile; so one more is free.
_SLOTS: Final = PREFETCHED + 1

_numbers: Final = count()
_rings: Final[WeakValueDictionary[int, Ring]] = WeakValueDictionary()


class Ring:
    """Slots for batches, which each loading process fills in turns; made before these are forked."""

    def __init__(self, workers: int, slot_bytes: int) -> None:
        """`slot_bytes` is the size of a batch; a larger one, as of masks at the image's size, travels as usual."""
        self._slot_bytes, self._made = slot_bytes, 0
        self._memory = mmap.mmap(-1, max(1, workers * _SLOTS * slot_bytes))
        self._number = next(_numbers)
        _rings[self._number] = self

    def batch(self, names: tuple[str, ...], images_HWC: Sequence[Image], masks_HW: Sequence[Image]) -> Uint8Batch:
        """The images and masks as one batch: in a slot, where this is a loading process and they are not larger."""
        images_shape = (len(images_HWC), *images_HWC[0].shape)
        masks_shape = (len(masks_HW), *masks_HW[0].shape)
        worker = get_worker_info()
        if worker is None or math.prod(images_shape) + math.prod(masks_shape) > self._slot_bytes:
            return Uint8Batch(names, torch.from_numpy(np.stack(images_HWC)), torch.from_numpy(np.stack(masks_HW)))
        slot = worker.id * _SLOTS + self._made % _SLOTS
        self._made += 1
        images_NHWC, masks_NHW = self._views(slot, images_shape, masks_shape)
        np.stack(images_HWC, out=images_NHWC.numpy())
        np.stack(masks_HW, out=masks_NHW.numpy())
        return _InSlot(names, images_NHWC, masks_NHW, self._number, slot)

    def _views(self, slot: int, images_shape: tuple[int, ...], masks_shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        start = slot * self._slot_bytes
        behind = start + math.prod(images_shape)
        images = torch.frombuffer(self._memory, dtype=torch.uint8, count=math.prod(images_shape), offset=start)
        masks = torch.frombuffer(self._memory, dtype=torch.uint8, count=math.prod(masks_shape), offset=behind)
        return images.view(images_shape), masks.view(masks_shape)


@dataclass(frozen=True)
class _InSlot(Uint8Batch):
    """A batch in a slot: what travels between the processes is where it lies."""

    ring: int
    slot: int

    def __reduce__(self) -> tuple[Any, ...]:
        shapes = tuple(self.images_NHWC.shape), tuple(self.masks_NHW.shape)
        return _arrived, (self.names, self.ring, self.slot, *shapes)


def _arrived(
    names: tuple[str, ...], ring: int, slot: int, images_shape: tuple[int, ...], masks_shape: tuple[int, ...]
) -> Uint8Batch:
    return Uint8Batch(names, *_rings[ring]._views(slot, images_shape, masks_shape))
