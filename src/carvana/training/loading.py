"""Loads the batches of one network's training and validation, the same for any number of loading processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from carvana.arrays import Image
from carvana.recipe import Recipe
from carvana.training.batches import Batch, Uint8Batch
from carvana.training.draws import Draws
from carvana.training.orders import EpochOrder, SampleKey, ValidationOrder
from carvana.training.pixels import Pixels
from carvana.training.prepared import Prepared
from carvana.training.split import Split
from carvana.transforms.protocol import Transforms


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


def collate(samples: Sequence[Sample]) -> Uint8Batch:
    """The samples as one batch."""
    images_NHWC = torch.from_numpy(np.stack([sample.image_HWC for sample in samples]))
    masks_NHW = torch.from_numpy(np.stack([sample.mask_HW for sample in samples]))
    return Uint8Batch(tuple(sample.name for sample in samples), images_NHWC, masks_NHW)


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
