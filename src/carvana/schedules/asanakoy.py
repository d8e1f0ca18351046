"""The U-Nets' learning rates (released training script)."""

from __future__ import annotations

from carvana.recipe import MilestoneSchedule


def learning_rate(epoch: int, spec: MilestoneSchedule) -> float:
    """The rate of the author's epoch `epoch`, counted from 0: lowered at each milestone of the run, or of its cycle."""
    position = epoch if spec.cycle is None else epoch % spec.cycle
    return spec.rate * spec.factor ** sum(position >= milestone for milestone in spec.milestones)
