"""A training's curves for TensorBoard."""

from __future__ import annotations

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from carvana.training.callbacks import EpochRecord


class EventFiles:
    """Writes one point per epoch, counted from 1, and curve. Curves that lie in the folder already are superseded."""

    def __init__(self, folder: Path) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=0)

    def epoch(self, record: EpochRecord) -> None:
        """Add the epoch's point to every curve."""
        step = record.epoch + 1
        self._writer.add_scalar("learning_rate", record.learning_rate, step)
        for part, values in (("train", record.train), ("valid", record.valid)):
            for name, value in values.items():
                self._writer.add_scalar(f"{part}/{name}", value, step)
        self._writer.flush()

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
