"""The training loop's callbacks, and the records that they receive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

# The reported measure that scores masks as the competition does, by the names that the members gave it.
DICE: Final = ("dice", "hard_dice")

Phase = Literal["train", "replay", "valid"]


@dataclass(frozen=True)
class StepRecord:
    """One batch.

    Attributes:
        epoch: the run's epoch, from 0.
        phase: trained on, trained on once more, or validated on.
        number: the batch's place in the epoch and phase, from 0; a replay has that of the batch that it follows.
        names: the images' names.
        values: loss terms and reported measures by name.
    """

    epoch: int
    phase: Phase
    number: int
    names: tuple[str, ...]
    values: Mapping[str, float]


@dataclass(frozen=True)
class EpochRecord:
    """One epoch.

    Attributes:
        epoch: the run's epoch, from 0.
        recipe_epoch: the recipe's epoch that it stands for, as the authors count it.
        learning_rate: in force during the epoch.
        train: means over the epoch's batches, replays left out.
        valid: means over the validation batches.
        selected: whether its weights are the best so far.
    """

    epoch: int
    recipe_epoch: int
    learning_rate: float
    train: Mapping[str, float]
    valid: Mapping[str, float]
    selected: bool


OnStep = Callable[[StepRecord], None]
OnEpoch = Callable[[EpochRecord], None]
# Called where a training can be left and taken up again: behind a batch, or behind an epoch once it is recorded.
OnRest = Callable[[Literal["batch", "epoch"]], None]
