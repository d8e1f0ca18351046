"""Passes a training's steps and epochs to its observers, and keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from carvana.computing.runtime import device_name
from carvana.interruption import Interruption
from carvana.training.callbacks import EpochRecord, StepRecord
from carvana.training.conditions import Conditions
from carvana.training.metadata import network_facts
from carvana.training.progress_file import PROGRESS, ProgressFile
from carvana.training.progress_lines import ProgressLines
from carvana.training.session import Session
from carvana.training.tensorboard import EventFiles


class Recorder:
    """Takes what the loop tells: its methods are an `OnStep`, an `OnEpoch` and an `OnRest`.

    Args:
        conditions: of the run.
        session: of the training, which has gone on from its saved state, if there is one.
        work: of the whole run, see `stopwatch.work`.
        folder: the training's own.
        tensorboard: folder for event files.
        quiet: whether progress is left out.
        interruption: of the process.
    """

    def __init__(
        self,
        conditions: Conditions,
        session: Session,
        work: int,
        folder: Path,
        tensorboard: Path,
        quiet: bool,
        interruption: Interruption,
    ) -> None:
        self._conditions, self._session, self._interruption = conditions, session, interruption
        epochs, stopwatch = conditions.epochs, session.stopwatch
        self._lines = None if quiet else ProgressLines(session.label, epochs, work, stopwatch)
        self._file = ProgressFile(folder / PROGRESS, epochs, work, device_name(conditions.device), stopwatch)
        self._events = EventFiles(tensorboard)
        for record in session.history:
            self._events.epoch(record)
            self._file.epoch(record)

    def step(self, record: StepRecord) -> None:
        """A batch is done."""
        self._session.stopwatch.step(record)
        self._file.step(record)
        if self._lines:
            self._lines.step(record)

    def epoch(self, record: EpochRecord) -> None:
        """An epoch is done: its weights are kept if they are the best so far."""
        if record.selected:
            self._session.keep_best(record.epoch, network_facts(self._conditions, record.epoch))
        self._session.stopwatch.epoch()
        self._session.history.append(record)
        self._events.epoch(record)
        self._file.epoch(record)
        if self._lines:
            self._lines.epoch(record)

    def rest(self, where: Literal["batch", "epoch"]) -> None:
        """All of the training is in its state: it is saved if it is time, and the training ends if a signal came."""
        # The last epoch's state is the result.
        if self._session.state.next_epoch < self._conditions.epochs:
            self._session.rest(where, self._interruption)

    def close(self) -> None:
        """Finish the event files."""
        self._events.close()
