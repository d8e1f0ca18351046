"""The life of one training in one process: where it goes on from, and when it is saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

import torch
from safetensors import SafetensorError

from carvana.errors import UserError
from carvana.interruption import Interruption, say
from carvana.recipe import Recipe
from carvana.training import snapshot
from carvana.training.callbacks import EpochRecord
from carvana.training.checkpoints import Checkpoints
from carvana.training.snapshot import Snapshot
from carvana.training.state import TrainingState
from carvana.training.state_files import place_of
from carvana.training.stopwatch import Stopwatch


@dataclass
class Session:
    """A training's state, and what else has to survive the process.

    Attributes:
        label: what is trained, for people.
        recipe: its recipe.
        state: changed as the training goes.
        checkpoints: where it is saved.
        seconds: from one saved state to the next within an epoch.
        history: the epochs so far.
        best: name of the file, beside the states, with the best weights so far.
        stopwatch: counts all processes of the training.
        clock: in seconds.
    """

    label: str
    recipe: Recipe
    state: TrainingState
    checkpoints: Checkpoints
    seconds: float
    history: list[EpochRecord] = field(default_factory=list)
    best: str | None = None
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._saved_at = self.clock()

    def go_on(self) -> None:
        """Take up the newest whole state, if there is one, and say so."""
        found = self.checkpoints.load()
        if found is None:
            return
        saved, self.best = found
        snapshot.restore(self.state, saved, self.recipe)
        self.history = [EpochRecord(**record) for record in saved.values["history"]]
        self.stopwatch.go_on_from(saved.values["stopwatch"])
        say(f"[{self.label}] continues from {place_of(saved.values)}")

    def rest(self, where: Literal["batch", "epoch"], interruption: Interruption) -> None:
        """Save the state if it is time; end the training if a signal came.

        Raises:
            Interrupted: the state is saved.
            UserError: it cannot be saved.
        """
        due = where == "epoch" or interruption.requested or self.clock() - self._saved_at >= self.seconds
        # Weights that are not finite are no state to go back to: the next batch's loss will tell.
        if due and all(bool(torch.isfinite(parameter).all()) for parameter in self.state.network.parameters()):
            self._save()
        interruption.act()

    def keep_best(self, epoch: int, facts: Mapping[str, object]) -> None:
        """Write the network's weights as the best so far.

        Args:
            epoch: the run's, from 0, that they are of.
            facts: what the file says of itself.

        Raises:
            UserError: another process has taken over.
        """
        self.best = self.checkpoints.save_best(self.state.network.state_dict(), epoch, facts)

    def _save(self) -> None:
        taken = snapshot.take(self.state)
        more = {"history": [asdict(record) for record in self.history], "stopwatch": self.stopwatch.as_values()}
        try:
            self.checkpoints.save(Snapshot(taken.tensors, {**taken.values, **more}), self.best)
        except (OSError, SafetensorError) as error:
            raise UserError(
                f"the state of {self.label} could not be saved ({error}): make room or mend the disk, then start again;"
                " the training goes on from the state saved before"
            ) from error
        self._saved_at = self.clock()
