"""The saved states of one training, in a folder: written whole, checked when read, and never only one.

A state is two files: `state-<number>.safetensors`, and `state-<number>.json`, which is written last and holds the
SHA-256 of the first, of the best weights so far, and of itself. A file that a kill, a full disk or a flipped bit has
spoilt is found by that; then the state before it counts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from carvana.errors import UserError
from carvana.files import flush, sha256_of, whole_file
from carvana.training.snapshot import Snapshot
from carvana.training.state_files import paths_of, read_record, record_text, state_numbers
from carvana.weights import save_weights, write_tensors

KEPT: Final = 2


class Checkpoints:
    """Saves and loads the states of one training.

    Args:
        folder: the training's own.
        check: called before anything is changed; raises if this process may no longer save.
        say: told what was found damaged.
    """

    def __init__(self, folder: Path, check: Callable[[], None], say: Callable[[str], None]) -> None:
        self._folder, self._check, self._say = folder, check, say

    def save_best(self, weights: Mapping[str, Tensor], epoch: int, facts: Mapping[str, object]) -> str:
        """Write the best weights so far; the states that are saved next belong to them.

        Args:
            weights: the network's state dict.
            epoch: the run's, from 0, that they are of.
            facts: what the file says of itself.

        Returns:
            The file's name in the folder.
        """
        self._check()
        name = f"best-{epoch + 1:04}.safetensors"
        save_weights(self._folder / name, weights, facts)
        return name

    def save(self, snapshot: Snapshot, best: str | None) -> None:
        """Write a state; the one before stays, older ones go once this one has been read back.

        Args:
            snapshot: of the state.
            best: name of the file in the folder with the best weights so far, which belongs to the state.

        Raises:
            OSError: the disk is full, or what was written does not read back; the states before are untouched.
        """
        self._check()
        number = max(state_numbers(self._folder), default=0) + 1
        tensors, record = paths_of(self._folder, number)
        with whole_file(tensors) as partial:
            write_tensors(partial, snapshot.tensors)
        files = {tensors.name: sha256_of(tensors)}
        if best is not None:
            files[best] = sha256_of(self._folder / best)
        body = {"files": files, "values": dict(snapshot.values)}
        self._check()
        with whole_file(record) as partial:
            partial.write_text(record_text(body), encoding="utf-8")
        for path in (tensors, record):
            _drop_from_memory(path)
        problem = self._problem(number)
        if problem is not None:
            raise OSError(f"a training state does not read back: {problem}")
        self._tidy()

    def load(self) -> tuple[Snapshot, str | None] | None:
        """The newest whole state and the name of its file of best weights; nothing if there is none.

        Raises:
            UserError: a state cannot be read, and may be whole: it is not to be trained again.
        """
        for number in state_numbers(self._folder):
            try:
                problem = self._problem(number)
            except OSError as error:
                raise UserError(
                    f"saved state {number} in {self._folder} cannot be read ({error.strerror}): have it readable and"
                    f" start again or, if it is lost, delete its files; then the state before counts"
                ) from None
            if problem is None:
                tensors, record = paths_of(self._folder, number)
                body = read_record(record)
                best = [name for name in body["files"] if name != tensors.name]
                return Snapshot(load_file(tensors), body["values"]), best[0] if best else None
            self._say(f"saved state {number} cannot be used ({problem}); going back to the one before")
        return None

    def _problem(self, number: int) -> str | None:
        """What is wrong with a state, if anything. Raises OSError where that cannot be told."""
        tensors, record = paths_of(self._folder, number)
        if not record.exists():
            return f"{record.name} is missing: its writing was interrupted"
        try:
            body = read_record(record)
            for name, digest in body["files"].items():
                if sha256_of(self._folder / name) != digest:
                    return f"{name} is damaged"
            load_file(tensors)
        except (FileNotFoundError, ValueError, SafetensorError) as error:
            return f"{record.name}: {error}"
        return None

    def _tidy(self) -> None:
        """Delete all but the newest states, and weights that none of these needs."""
        needed: set[str] = set()
        for place, number in enumerate(state_numbers(self._folder)):
            tensors, record = paths_of(self._folder, number)
            if place >= KEPT:
                # The record first: a state is one as long as it has a record.
                record.unlink(missing_ok=True)
                tensors.unlink(missing_ok=True)
                continue
            try:
                needed |= read_record(record)["files"].keys()
            except (OSError, ValueError):
                continue
        for path in self._folder.glob("best-*.safetensors"):
            if path.name not in needed:
                path.unlink(missing_ok=True)


def _drop_from_memory(path: Path) -> None:
    """Have the next reading of a file come from the disk, as far as the system allows."""
    flush(path)
    if sys.platform != "darwin":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
