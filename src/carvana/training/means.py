"""Running means of what a training reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Means:
    """Running means of named values.

    Attributes:
        sums: over the batches so far, by name.
        count: of batches.
    """

    sums: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def add(self, values: Mapping[str, float]) -> None:
        """Count one batch's values in."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1

    def values(self) -> dict[str, float]:
        """The means over the batches so far, each batch counted alike."""
        return {name: total / self.count for name, total in self.sums.items()}
