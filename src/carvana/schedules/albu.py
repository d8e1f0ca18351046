"""LinkNet34's learning rate (released training script)."""

from __future__ import annotations

from carvana.recipe import AlbuSchedule


def learning_rate(epoch: int, spec: AlbuSchedule) -> float:
    """The rate of the author's epoch `epoch`, counted from 0."""
    if epoch < spec.restart:
        return spec.rate * spec.factor ** (epoch // spec.first_step)
    return spec.rate * spec.factor ** (((epoch - spec.restart) % spec.period) // spec.step)
