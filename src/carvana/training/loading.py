"""Loads the batches of one network's training and validation, the same for any number of loading processes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from carvana.arrays import ByteMask, Image
from carvana.recipe import Recipe
from carvana.training.batches import Batch, Uint8Batch
from carvana.training.draws import Draws
from carvana.training.orders import EpochOrder, SampleKey, ValidationOrder
from carvana.training.pixels import PixelSource
from carvana.training.prepared import CHANNELS, Prepared
from carvana.training.ring import PREFETCHED, Ring
from carvana.training.split import Split
from carvana.transforms.protocol import Transforms


class Sample(NamedTuple):
    """One image and its mask, ready for a batch."""

    name: str
    image_HWC: Image
    mask_HW: ByteMask


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

    def __init__(self, prepared: Prepared, pixels: PixelSource, transforms: Transforms[object]) -> None:
        self._prepared, self._pixels, self._transforms = prepared, pixels, transforms

    def __getitem__(self, name: str) -> Sample:
        return Sample(name, *self._transforms.valid(self._prepared.of(name), self._pixels.mask(name)))


def collate(ring: Ring, samples: Sequence[Sample]) -> Uint8Batch:
    """The samples as one batch."""
    names, images_HWC, masks_HW = zip(*samples, strict=True)
    return ring.batch(names, images_HWC, masks_HW)


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
        pixels: PixelSource,
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
        self._training = _loader(samples, self._order, training.batch_size, transforms.size, device, workers)
        self._validation_order = ValidationOrder(split.validation, recipe.validation.batch_size)
        validated = ValidationSamples(prepared, pixels, transforms)
        images = recipe.validation.batch_size
        self._validation = _loader(validated, self._validation_order, images, transforms.size, device, workers)
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
    samples: Dataset[Sample],
    order: Iterable[list[SampleKey]] | Iterable[list[str]],
    batch_size: int,
    size_HW: tuple[int, int],
    device: torch.device,
    workers: int,
) -> DataLoader[Sample]:
    return DataLoader(
        samples,
        batch_sampler=order,
        collate_fn=partial(collate, Ring(workers, batch_size * math.prod(size_HW) * CHANNELS)),
        num_workers=workers,
        prefetch_factor=PREFETCHED if workers else None,
        # Shared memory, and the open file of what is kept on the disk, are passed on by a fork only.
        multiprocessing_context="fork" if workers else None,
        persistent_workers=workers > 0,
        pin_memory=device.type == "cuda",
        worker_init_fn=_begin_worker,
    )


def _begin_worker(number: int) -> None:
    # The processes are the parallelism; threads of each would compete for the same cores.
    cv2.setNumThreads(0)
