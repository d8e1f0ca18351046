"""TernausNet's learning rate (released training script)."""

from __future__ import annotations

from carvana.recipe import TernausSchedule


def learning_rate(epoch: int, spec: TernausSchedule) -> float:
    """The rate of the author's epoch `epoch`, counted from 1; `period` and `step` in epochs."""
    return spec.rate * spec.factor ** ((epoch % spec.period) // spec.step)
