"""Which epoch's weights are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from carvana.recipe import Selection


@dataclass
class Best:
    """The best validation value so far.

    Attributes:
        value: none before the first epoch.
        epoch: the run's epoch (from 0) that reached it; none before the first.
    """

    value: float | None = None
    epoch: int | None = None

    def offer(self, selection: Selection, values: Mapping[str, float], epoch: int) -> bool:
        """Whether this epoch is strictly better than all before it (of equals the earliest stays); if so, note it."""
        value = values[selection.metric]
        if self.value is not None:
            better = value < self.value if selection.goal == "lowest" else value > self.value
            if not better:
                return False
        self.value, self.epoch = value, epoch
        return True
