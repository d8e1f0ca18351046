"""Batches of one network's training and validation images, the same for any number of loading processes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Self

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from carvana.arrays import Image
from carvana.errors import UserError
from carvana.recipe import Recipe
from carvana.training.draws import Draws
from carvana.training.pixels import Pixels
from carvana.training.prepared import Prepared
from carvana.training.split import Split
from carvana.transforms.inputs import network_input, target
from carvana.transforms.protocol import Transforms


@dataclass(frozen=True)
class Batch:
    """Images with their masks, as the network and the loss take them.

    Attributes:
        names: the images' names.
        images_N3HW: floating.
        masks_N1HW: the same type, 0..1; in validation its (H, W) may be the image's and not the network's.
    """

    names: tuple[str, ...]
    images_N3HW: Tensor
    masks_N1HW: Tensor

    def to(self, device: torch.device) -> Self:
        """The batch on `device`; itself if it is there."""
        images_N3HW = self.images_N3HW.to(device, non_blocking=True)
        return type(self)(self.names, images_N3HW, self.masks_N1HW.to(device, non_blocking=True))


@dataclass(frozen=True)
class EightBits:
    """A batch as it is loaded, and travels to the device.

    Attributes:
        names: the images' names.
        images_NHWC: uint8.
        masks_NHW: uint8, 255 for car.
    """

    names: tuple[str, ...]
    images_NHWC: Tensor
    masks_NHW: Tensor

    def pin_memory(self) -> Self:
        """The batch in page-locked memory, so that the program need not wait for its copy; DataLoader calls this."""
        return type(self)(self.names, self.images_NHWC.pin_memory(), self.masks_NHW.pin_memory())

    def on(self, device: torch.device, normalised: bool) -> Batch:
        """The batch as the network takes it, on the device."""
        images_NHWC = self.images_NHWC.to(device, non_blocking=True)
        masks_NHW = self.masks_NHW.to(device, non_blocking=True)
        return Batch(self.names, network_input(images_NHWC, normalised), target(masks_NHW))


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


class Sample(NamedTuple):
    """One image and its mask, ready for a batch."""

    name: str
    image_HWC: Image
    mask_HW: Image


class TrainingSamples(Dataset[Sample]):
    """Augmented samples; all draws of one come from a generator of its own, so it does not matter who loads it."""

    def __init__(
        self, prepared: Prepared, transforms: Transforms[object], draws: Draws, epoch_of: Callable[[int], int]
    ) -> None:
        self._prepared, self._transforms, self._draws, self._epoch_of = prepared, transforms, draws, epoch_of

    def __getitem__(self, key: SampleKey) -> Sample:
        rng = self._draws.generator("sample", key.epoch, key.number)
        draw = self._transforms.sample(rng, self._epoch_of(key.epoch))
        return Sample(key.name, *self._transforms.train(self._prepared.of(key.name), draw))


class ValidationSamples(Dataset[Sample]):
    """Samples as validation takes them, by image name."""

    def __init__(self, prepared: Prepared, pixels: Pixels, transforms: Transforms[object]) -> None:
        self._prepared, self._pixels, self._transforms = prepared, pixels, transforms

    def __getitem__(self, name: str) -> Sample:
        return Sample(name, *self._transforms.valid(self._prepared.of(name), self._pixels.mask(name)))


def collate(samples: Sequence[Sample]) -> EightBits:
    """The samples as one batch."""
    images_NHWC = torch.from_numpy(np.stack([sample.image_HWC for sample in samples]))
    masks_NHW = torch.from_numpy(np.stack([sample.mask_HW for sample in samples]))
    return EightBits(tuple(sample.name for sample in samples), images_NHWC, masks_NHW)


class Loading:
    """Loads the batches of one network, on as many processes as wished; they live as long as this object.

    Attributes:
        training_images: per epoch.
        validation_images: per epoch.
    """

    def __init__(
        self,
        recipe: Recipe,
        split: Split,
        pixels: Pixels,
        prepared: Prepared,
        transforms: Transforms[object],
        draws: Draws,
        epochs: int,
        device: torch.device,
        workers: int,
    ) -> None:
        """`epochs` is the run's length; `workers` of 0 loads in this process."""
        training = recipe.training
        self._device, self._normalised = device, transforms.normalised
        self._order = EpochOrder(split.training, draws, training.batch_size, training.drop_last)
        samples = TrainingSamples(prepared, transforms, draws, partial(recipe.epoch_of, run_epochs=epochs))
        self._training = _loader(samples, self._order, device, workers)
        self._validation_order = ValidationOrder(split.validation, recipe.validation.batch_size)
        validated = ValidationSamples(prepared, pixels, transforms)
        self._validation = _loader(validated, self._validation_order, device, workers)
        rest = len(split.training) % training.batch_size if training.drop_last else 0
        self.training_images, self.validation_images = len(split.training) - rest, len(split.validation)

    def training_batches(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of the run's epoch, from 0; those before `first` are not loaded."""
        self._order.epoch, self._order.first = epoch, first
        return (batch.on(self._device, self._normalised) for batch in self._training)

    def validation_batches(self, first: int = 0) -> Iterator[Batch]:
        """The validation batches, in the order of the images' names; those before `first` are not loaded."""
        self._validation_order.first = first
        return (batch.on(self._device, self._normalised) for batch in self._validation)


def _loader(
    samples: Dataset[Sample], order: Iterable[list[SampleKey]] | Iterable[list[str]], device: torch.device, workers: int
) -> DataLoader[Sample]:
    return DataLoader(
        samples,
        batch_sampler=order,
        collate_fn=collate,
        num_workers=workers,
        # What is kept on the disk has an open file and shared memory, which only a fork passes on.
        multiprocessing_context="fork" if workers else None,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
        worker_init_fn=_begin_worker,
    )


def _begin_worker(number: int) -> None:
    # The processes are the parallelism; threads of each would compete for the same cores.
    cv2.setNumThreads(0)


@contextmanager
def told_of_dead_workers() -> Iterator[None]:
    """Turn PyTorch's errors about a loading process that died into a UserError.

    From then on PyTorch does not watch its loading processes: the death of another one, perhaps of this program's own
    doing while it ends, would be raised wherever the program is, as a traceback beside the message.
    """
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        raise UserError(
            f"a process that loads images died ({error}). If it was killed for memory, set `workers` lower; then start"
            " again: the training continues from its last saved state"
        ) from error
