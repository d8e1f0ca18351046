"""Hard negative mining: the worst batch of late is trained on once more."""

from __future__ import annotations

from dataclasses import dataclass

from carvana.training.batches import Batch


@dataclass
class HardNegatives:
    """The batch with the highest loss since the last replay, as the released albu training script keeps it.

    Batches are counted from 0 in every epoch, but what is kept outlives the epoch's end.

    Attributes:
        period: a replay follows every batch whose number is a multiple of it, batch 0 too.
        batch: the batch kept, with the tensors that were trained on; none right after a replay.
        loss: the loss that `batch` had.
    """

    period: int
    batch: Batch | None = None
    loss: float = 0.0

    def offer(self, batch: Batch, loss: float) -> None:
        """Keep `batch` if none is kept or its loss is strictly higher than the kept one's."""
        if self.batch is None or loss > self.loss:
            self.batch, self.loss = batch, loss

    def take(self, number: int) -> Batch | None:
        """The batch to train on once more after batch `number` of the epoch, then forgotten; none if it is not time."""
        if number % self.period:
            return None
        batch, self.batch = self.batch, None
        return batch
