"""How long a training takes; what it measures goes to the terminal and to the timings, never into the history."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from carvana.training.callbacks import Phase, StepRecord

# An image that is trained on costs a forward pass, and about twice that for the gradient.
TRAINING_PASSES: Final = 3
# Replays count neither as work to do nor as work done: they come evenly, so the time left is right without them.
_WORK: Final[dict[Phase, int]] = {"train": TRAINING_PASSES, "replay": 0, "valid": 1}


def work(train_images: int, valid_images: int) -> int:
    """What these images cost, in forward passes of one image."""
    return train_images * _WORK["train"] + valid_images * _WORK["valid"]


def images_per_second(epochs: Sequence[Mapping[str, Any]]) -> float | None:
    """Images trained on per second, in all of these epochs; None where no time was counted.

    Args:
        epochs: each as `EpochTimings` has it.
    """
    seconds = sum(epoch["train_seconds"] for epoch in epochs)
    return sum(epoch["train_images"] for epoch in epochs) / seconds if seconds else None


@dataclass(frozen=True)
class EpochTimings:
    """Where an epoch's time went; waiting for images is in it.

    Attributes:
        train_seconds: training, replays included.
        valid_seconds: validation.
        train_images: images trained on, replays included.
        valid_images: images validated on.
    """

    train_seconds: float
    valid_seconds: float
    train_images: int
    valid_images: int

    @property
    def images_per_second(self) -> float:
        """Images trained on per second."""
        return self.train_images / self.train_seconds if self.train_seconds else 0.0


class Stopwatch:
    """Watches a training's steps. Time counts for the phase of the step that ends it.

    Attributes:
        epochs: timings of the finished epochs.
        work: done so far, see `work`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.epochs: list[EpochTimings] = []
        self.work = 0
        self._clock = clock
        self._start = self._last = clock()
        self._begin_epoch()

    def as_values(self) -> dict[str, Any]:
        """What was measured so far, as JSON values."""
        return {
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "current": asdict(self.current),
            "work": self.work,
            "seconds": self.seconds,
        }

    def go_on_from(self, values: Mapping[str, Any]) -> None:
        """Add what an earlier process of the same training measured; call this before the first step."""
        self.epochs = [EpochTimings(**epoch) for epoch in values["epochs"]]
        self.work = values["work"]
        self._start -= values["seconds"]
        current = EpochTimings(**values["current"])
        self._seconds.update({"train": current.train_seconds, "valid": current.valid_seconds})
        self._images.update({"train": current.train_images, "valid": current.valid_images})

    def _begin_epoch(self) -> None:
        self._seconds: dict[Phase, float] = {"train": 0.0, "replay": 0.0, "valid": 0.0}
        self._images: dict[Phase, int] = {"train": 0, "replay": 0, "valid": 0}

    def step(self, record: StepRecord) -> None:
        """A batch is done."""
        now = self._clock()
        self._seconds[record.phase] += now - self._last
        self._images[record.phase] += len(record.names)
        self.work += len(record.names) * _WORK[record.phase]
        self._last = now

    def epoch(self) -> None:
        """An epoch is done."""
        self.epochs.append(self.current)
        self._begin_epoch()

    @property
    def current(self) -> EpochTimings:
        """Timings of the running epoch so far."""
        return EpochTimings(
            train_seconds=self._seconds["train"] + self._seconds["replay"],
            valid_seconds=self._seconds["valid"],
            train_images=self._images["train"] + self._images["replay"],
            valid_images=self._images["valid"],
        )

    @property
    def seconds(self) -> float:
        """From the beginning to the last step."""
        return self._last - self._start

    def seconds_left(self, work: int) -> float | None:
        """Until so much work is done, see `work`, at the pace so far; None before the first step."""
        return (work - self.work) * self.seconds / self.work if self.work else None
