"""Everything that training changes as it goes."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from carvana.training.hard_negatives import HardNegatives
from carvana.training.selection import Best


@dataclass
class TrainingState:
    """What the rest of a training depends on, besides the recipe, the data and the seed.

    Attributes:
        network: the network, on its device.
        optimizer: over the network's parameters; a recipe may have it replaced.
        hard_negatives: the memory, if the recipe mines hard negatives.
        best: the selection so far.
        next_epoch: the run's epoch that comes next, from 0.
        steps: optimizer steps taken.
    """

    network: torch.nn.Module
    optimizer: torch.optim.Optimizer
    hard_negatives: HardNegatives | None = None
    best: Best = field(default_factory=Best)
    next_epoch: int = 0
    steps: int = 0
