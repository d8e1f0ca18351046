"""What a running training says of itself, in a file that anyone can read while it runs and after it has died."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from carvana.training.callbacks import DICE, EpochRecord, StepRecord
from carvana.training.stopwatch import Stopwatch

PROGRESS: Final = "progress.json"
SECONDS_BETWEEN: Final = 5.0


@dataclass
class ProgressFile:
    """Keeps the file up to date, at most every few seconds. A full disk does not stop the training here.

    Attributes:
        path: of the file.
        epochs: of the run.
        work: of the whole run, see `stopwatch.work`.
        device: as its maker calls it.
        stopwatch: sees every step and epoch before this does.
        loss: of the last batch trained on.
        dice: best so far of the validations, if the recipe reports one.
    """

    path: Path
    epochs: int
    work: int
    device: str
    stopwatch: Stopwatch
    loss: float | None = None
    dice: float | None = None
    _written: float = 0.0

    def step(self, record: StepRecord) -> None:
        """A batch is done."""
        if record.phase == "train":
            self.loss = record.values["loss"]
        if time.monotonic() - self._written >= SECONDS_BETWEEN:
            self._write(record.epoch)

    def epoch(self, record: EpochRecord) -> None:
        """An epoch is done."""
        found = [record.valid[name] for name in DICE if name in record.valid]
        if found:
            self.dice = max(found[0], self.dice or 0.0)

    def _write(self, epoch: int) -> None:
        self._written = time.monotonic()
        watch = self.stopwatch
        document = {
            "epoch": epoch + 1,
            "epochs": self.epochs,
            "loss": self.loss,
            "dice": self.dice,
            "images_per_second": watch.current.images_per_second,
            "seconds_left": watch.seconds_left(self.work),
            "device": self.device,
        }
        # Without waiting for the disk, as results do: it is told again in a few seconds.
        partial = self.path.with_name(self.path.name + ".partial")
        with contextlib.suppress(OSError):
            partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
            partial.replace(self.path)
