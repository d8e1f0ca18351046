import torch

from carvana.training.batches import Batch
from carvana.training.hard_negatives import HardNegatives


def batch(name):
    return Batch((name,), torch.zeros(1, 3, 2, 2), torch.zeros(1, 1, 2, 2))


def replays(memory, losses):
    """Names of the batches replayed in an epoch of batches `0`, `1`, ..., by the batch that they follow."""
    replayed = {}
    for number, loss in enumerate(losses):
        memory.offer(batch(str(number)), loss)
        hardest = memory.take(number)
        if hardest is not None:
            replayed[number] = hardest.names[0]
    return replayed


def test_a_replay_follows_batch_0_and_every_period():
    assert replays(HardNegatives(3), [1, 5, 4, 3, 2, 1, 2, 1]) == {0: "0", 3: "1", 6: "4"}


def test_of_equal_losses_the_first_is_kept():
    assert replays(HardNegatives(3), [1, 5, 5, 5]) == {0: "0", 3: "1"}


def test_a_replayed_batch_is_forgotten():
    assert replays(HardNegatives(1), [3, 2, 1]) == {0: "0", 1: "1", 2: "2"}


def test_the_memory_outlives_the_epoch():
    memory = HardNegatives(4)
    replays(memory, [1, 1, 9])
    assert replays(memory, [5, 1, 1, 1, 1]) == {0: "2", 4: "1"}
