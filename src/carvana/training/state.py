"""Everything that training changes as it goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch

from carvana.computing.forward import Forward
from carvana.training.hard_negatives import HardNegatives
from carvana.training.means import Means
from carvana.training.selection import Best


@dataclass
class EpochProgress:
    """How far the running epoch is.

    Attributes:
        phase: which of the epoch's two parts is running.
        batches: of this part, that are done.
        means: over them.
        trained: the means of the epoch's training, once that is done.
    """

    phase: Literal["train", "valid"] = "train"
    batches: int = 0
    means: Means = field(default_factory=Means)
    trained: dict[str, float] = field(default_factory=dict)


@dataclass
class TrainingState:
    """What the rest of a training depends on, besides the recipe, the data and the seed.

    No generator is part of it: each draw has its own, seeded by its purpose (see `Draws`).

    Attributes:
        network: the network, on its device.
        forward: its forward pass, as the run computes it.
        optimizer: over the network's parameters; a recipe may have it replaced.
        hard_negatives: the memory, if the recipe mines hard negatives.
        best: the selection so far.
        next_epoch: the run's epoch that comes next, from 0.
        place: how far that epoch is.
    """

    network: torch.nn.Module
    forward: Forward
    optimizer: torch.optim.Optimizer
    hard_negatives: HardNegatives | None = None
    best: Best = field(default_factory=Best)
    next_epoch: int = 0
    place: EpochProgress = field(default_factory=EpochProgress)
