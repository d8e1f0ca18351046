"""Long work shows itself: a line per epoch, and within long epochs one every so often."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from carvana.text import clock
from carvana.training.callbacks import DICE, EpochRecord, StepRecord
from carvana.training.means import Means
from carvana.training.stopwatch import EpochTimings, Stopwatch


class ProgressLines:
    """Prints to stderr how far a training is.

    Args:
        label: what is trained, such as `ternausnet fold 0`.
        epochs: of the run.
        work: of the whole run, see `stopwatch.work`.
        stopwatch: sees every step and epoch before this does.
        interval: seconds from one line to the next within an epoch.
    """

    def __init__(self, label: str, epochs: int, work: int, stopwatch: Stopwatch, interval: float = 30.0) -> None:
        self._label, self._epochs, self._work, self._interval = label, epochs, work, interval
        self._stopwatch = stopwatch
        self._printed_at = 0.0
        self._means = Means()

    def step(self, record: StepRecord) -> None:
        """Show the means since the epoch's (or validation's) beginning, if the last line is `interval` seconds old."""
        if record.number == 0 and record.phase != "replay":
            self._means = Means()
        if record.phase != "replay":
            self._means.add(record.values)
        if self._stopwatch.seconds - self._printed_at >= self._interval:
            phase = "validation" if record.phase == "valid" else "training"
            place = f"{record.epoch + 1}/{self._epochs} {phase} batch {record.number + 1}"
            self._print(place, self._means.values(), self._stopwatch.current)

    def epoch(self, record: EpochRecord) -> None:
        """Show the epoch: training loss, validation Dice, and a star if its weights are the best so far."""
        values = {**record.valid, "loss": record.train["loss"]}
        mark = " *" if record.selected else ""
        self._print(f"{record.epoch + 1}/{self._epochs}", values, self._stopwatch.epochs[-1], mark)

    def _print(self, place: str, values: Mapping[str, float], timings: EpochTimings, mark: str = "") -> None:
        self._printed_at = self._stopwatch.seconds
        figures = [f"loss {values['loss']:.4f}"] if "loss" in values else []
        figures += [f"dice {values[name]:.4f}" for name in DICE if name in values]
        pace = f"{timings.images_per_second:.1f} images/s"
        left = self._stopwatch.seconds_left(self._work)
        if left is not None:
            pace += f" {clock(left)} left"
        print(f"[{self._label}] epoch {place} {' '.join(figures)} {pace}{mark}", file=sys.stderr, flush=True)
