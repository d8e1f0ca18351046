"""Random generators of one training, each seeded by its purpose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carvana import seeding


@dataclass(frozen=True)
class Draws:
    """Names everything random in the training of one network; equal values give equal draws anywhere."""

    seed: int
    recipe_seed: int | None
    model: str
    fold: int

    def generator(self, *purpose: int | str) -> np.random.Generator:
        """For NumPy's draws."""
        return seeding.generator(self.seed, self.recipe_seed, self.model, self.fold, *purpose)

    def torch_seed(self, *purpose: int | str) -> int:
        """For PyTorch's generators."""
        return seeding.torch_seed(self.seed, self.recipe_seed, self.model, self.fold, *purpose)
