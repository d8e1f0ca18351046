"""Batches that loading processes leave in shared memory."""

import time
from functools import partial

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset

from carvana.training.loading import Sample, collate
from carvana.training.ring import PREFETCHED, Ring

SHAPE_HW = (6, 8)
BYTES = 2 * 6 * 8 * 4


class Numbered(Dataset[Sample]):
    """Images of one value each."""

    def __len__(self) -> int:
        return 24

    def __getitem__(self, number: int) -> Sample:
        return Sample(str(number), np.full((*SHAPE_HW, 3), number, np.uint8), np.full(SHAPE_HW, 255 - number, np.uint8))


def loader(ring, workers):
    return DataLoader(
        Numbered(),
        batch_size=2,
        collate_fn=partial(collate, ring),
        num_workers=workers,
        prefetch_factor=PREFETCHED,
        multiprocessing_context="fork",
        persistent_workers=True,
    )


def assert_holds(batch, numbers):
    assert batch.names == tuple(map(str, numbers))
    for place, number in enumerate(numbers):
        assert (batch.images_NHWC[place] == number).all() and (batch.masks_NHW[place] == 255 - number).all()


@pytest.mark.parametrize("workers", [1, 3])
def test_a_batch_stays_what_it_is_while_the_training_has_it(workers):
    loading = loader(Ring(workers, BYTES), workers)
    for _ in range(2):
        for place, batch in enumerate(loading):
            # Meanwhile the processes prepare all that they may.
            time.sleep(0.02)
            assert_holds(batch, (2 * place, 2 * place + 1))


def test_an_epoch_that_is_left_early_spoils_nothing_of_the_next():
    loading = loader(Ring(2, BYTES), 2)
    for left in (1, 4, 2):
        for place, batch in enumerate(loading):
            assert_holds(batch, (2 * place, 2 * place + 1))
            if place == left:
                break
    assert [batch.names[0] for batch in loading] == [str(number) for number in range(0, 24, 2)]


@pytest.mark.parametrize(("slot_bytes", "in_slot"), [(BYTES, True), (BYTES - 1, False)])
def test_only_where_it_lies_is_sent_and_what_is_too_large_goes_the_usual_way(slot_bytes, in_slot):
    ring = Ring(1, slot_bytes)
    batches = list(loader(ring, 1))
    places = {batch.images_NHWC.data_ptr() for batch in batches}
    assert len(places) == (PREFETCHED + 1 if in_slot else len(batches))
    for place, batch in enumerate(loader(ring, 1)):
        assert_holds(batch, (2 * place, 2 * place + 1))


def test_without_loading_processes_a_batch_has_memory_of_its_own():
    samples = [Numbered()[number] for number in (3, 4)]
    ring = Ring(0, BYTES)
    first, second = collate(ring, samples), collate(ring, samples[::-1])
    assert_holds(first, (3, 4))
    assert_holds(second, (4, 3))
