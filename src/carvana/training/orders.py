"""In which order an epoch's images come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch.utils.data import Sampler

from carvana.training.draws import Draws


class SampleKey(NamedTuple):
    """What a training sample is: the image, and what its random draws depend on.

    Attributes:
        epoch: the run's epoch, from 0.
        number: the sample's place in the epoch's order, from 0.
        name: the image's name.
    """

    epoch: int
    number: int
    name: str


class EpochOrder(Sampler[list[SampleKey]]):
    """The batches of an epoch: all names in an order drawn for the epoch, cut into batches.

    Attributes:
        epoch: the run's epoch that the next iteration is for.
        first: the batch that it begins with, from 0.
    """

    def __init__(self, names: Sequence[str], draws: Draws, batch_size: int, drop_last: bool) -> None:
        self.epoch = self.first = 0
        self._names, self._draws, self._batch_size, self._drop_last = names, draws, batch_size, drop_last

    def __len__(self) -> int:
        whole, rest = divmod(len(self._names), self._batch_size)
        return whole + (rest > 0 and not self._drop_last)

    def __iter__(self) -> Iterator[list[SampleKey]]:
        epoch = self.epoch
        order = self._draws.generator("order", epoch).permutation(len(self._names))
        keys = [SampleKey(epoch, number, self._names[place]) for number, place in enumerate(order)]
        for number in range(self.first, len(self)):
            yield keys[number * self._batch_size : (number + 1) * self._batch_size]


class ValidationOrder(Sampler[list[str]]):
    """The validation batches: all names in their own order, cut into batches.

    Attributes:
        first: the batch that the next iteration begins with, from 0.
    """

    def __init__(self, names: Sequence[str], batch_size: int) -> None:
        self.first = 0
        self._batches = [list(names[first : first + batch_size]) for first in range(0, len(names), batch_size)]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[str]]:
        return iter(self._batches[self.first :])
