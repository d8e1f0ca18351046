"""Where a file of the competition, its record and what has arrived of it lie."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from tqdm import tqdm

from carvana.files import write_json
from carvana.interruption import say
from carvana.kaggle.client import RemoteFile
from carvana.kaggle.content import Record, WrongContentError, sha256_while
from carvana.reading import read_json, readable

STATE: Final = ".download"
# The kaggle package's own note beside a file that has not arrived whole.
MARKER_SUFFIX: Final = ".kaggle-partial"


@dataclass(frozen=True)
class LocalFile:
    """Where one file, its record, its lock and what has arrived of it lie.

    Attributes:
        folder: of the competition's files.
        name: of the file, ours.
    """

    folder: Path
    name: str

    @property
    def partial(self) -> Path:
        """The folder of what has arrived so far."""
        return self.folder / STATE / self.name

    @property
    def record_path(self) -> Path:
        """The file of the record."""
        return self.folder / STATE / f"{self.name}.json"

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """Wait until nobody else is at work on the file; gives the lock's descriptor.

        The lock belongs to the open file, so it lives until the last process that holds the descriptor has ended.
        """
        (self.folder / STATE).mkdir(parents=True, exist_ok=True)
        with (self.folder / STATE / f"{self.name}.lock").open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"another process is at work on {self.name}; waiting for it")
                fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream.fileno()

    def record(self) -> Record | None:
        """What was verified before, if anything. Raises UserError where that is damaged."""
        with readable(self.record_path, "delete it, and the file is verified again"):
            try:
                return Record(**read_json(self.record_path))
            except FileNotFoundError:
                return None

    def keep(self, record: Record) -> None:
        """Write the record."""
        write_json(self.record_path, asdict(record))

    def current(self, record: Record, quiet: bool) -> Record | None:
        """The record, if the file is still the recorded one; it is read again only if its size or time has changed."""
        path = self.folder / record.file
        if not path.is_file():
            return None
        now = path.stat()
        if (now.st_size, now.st_mtime_ns) == (record.bytes, record.modified_ns):
            return record
        with tqdm(total=now.st_size, desc=f"reading {record.file}", unit="B", unit_scale=True, disable=quiet) as bar:
            if now.st_size != record.bytes or sha256_while(path, bar.update) != record.sha256:
                return None
        touched = replace(record, modified_ns=now.st_mtime_ns)
        self.keep(touched)
        return touched

    def size(self) -> int:
        """Bytes that have arrived."""
        total = 0
        with contextlib.suppress(FileNotFoundError), os.scandir(self.partial) as entries:
            for entry in entries:
                if not entry.name.endswith(MARKER_SUFFIX):
                    total += entry.stat().st_size
        return total

    def arrived(self, remote: RemoteFile) -> Path:
        """The file that has arrived, whatever the link called it. Raises WrongContentError unless it is one."""
        files = [path for path in self.partial.iterdir() if not path.name.endswith(MARKER_SUFFIX)]
        if len(files) != 1:
            raise WrongContentError(f"{len(files)} files arrived for {remote.name}")
        return files[0]

    def clear(self) -> None:
        """Delete what has arrived, and the package's note beside it."""
        shutil.rmtree(self.partial, ignore_errors=True)
