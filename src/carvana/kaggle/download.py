"""The competition's files from Kaggle: each verified once, kept beside its record, and never half there.

In the folder of the files, `.download` holds what is on its way and what is known: `<name>/` what has arrived so far,
`<name>.json` the record of a verified file, `<name>.lock` who is at work. A file appears under its own name only when
its size is the listed one and every checksum in it agrees.
"""

from __future__ import annotations

import contextlib
import csv
import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tqdm import tqdm

from carvana.data.archives import DamagedArchiveError, check_archive
from carvana.errors import UserError
from carvana.files import write_json
from carvana.kaggle.client import Kaggle, RemoteFile
from carvana.kaggle.failures import KaggleError, Kind
from carvana.kaggle.retry import Patience, retrying

# How often a file is begun anew when what arrived is wrong.
STARTS: Final = 3
STATE: Final = ".download"
# The kaggle package's own note beside a file that has not arrived whole.
MARKER_SUFFIX: Final = ".kaggle-partial"

# As the package's: of a file that breaks off it keeps whole pieces of this size.
_CHUNK_BYTES: Final = 1 << 20
_TABLES: Final = {"metadata": ("id",), "sample_submission": ("img", "rle_mask")}


@dataclass(frozen=True)
class Wanted:
    """A file of the competition.

    Attributes:
        name: ours: train_hq, train_masks, test_hq, metadata or sample_submission.
        files: the names that Kaggle may list it under, the preferred one first.
    """

    name: str
    files: Sequence[str]


@dataclass(frozen=True)
class Record:
    """A verified file.

    Attributes:
        file: its name in the folder.
        bytes: its size.
        sha256: of its content.
        members: number of files in it, if it is a zip; every one agreed with its checksum.
        verified: when, ISO 8601, UTC.
        modified_ns: the file's time of modification then; the same size and time later mean that it is unchanged.
    """

    file: str
    bytes: int
    sha256: str
    members: int | None
    verified: str
    modified_ns: int


class _WrongContentError(Exception):
    """What arrived is not the file; another attempt may bring it."""


class _ChangedError(UserError):
    """A whole file that is not the one that was there before; it is left where it has arrived."""


def obtain(
    wanted: Wanted,
    folder: Path,
    connect: Callable[[int], Kaggle],
    patience: Patience,
    quiet: bool = False,
) -> Record:
    """Have a verified file in the folder, downloading it if need be.

    A file that was verified and has not changed since is not read again, and Kaggle is not asked. Several processes may
    want the same file at once, on several machines too where the folder's file system shares locks (NFS does): one
    downloads, the others wait.

    Args:
        wanted: which file.
        folder: where it goes; made if need be.
        connect: gives the client, told a descriptor that its process must keep open.
        patience: with failures that may pass.
        quiet: no progress bars.

    Raises:
        KaggleError: Kaggle, or the way to it, failed.
        UserError: what arrived was wrong `STARTS` times, is an unsafe archive, or is not what was recorded before; or
            the folder cannot be used.
    """
    try:
        return _obtain(wanted, _Place(folder, wanted.name), connect, patience, quiet)
    except OSError as error:
        raise UserError(
            f"{error.filename or folder}: {error.strerror}; check the disk and the rights of {folder}, or set"
            " data.folder to another place"
        ) from error


def _obtain(wanted: Wanted, place: _Place, connect: Callable[[int], Kaggle], patience: Patience, quiet: bool) -> Record:
    with place.locked() as lock:
        known = place.record()
        if known is not None and (current := place.current(known, quiet)):
            return current
        with connect(lock) as kaggle:
            if known is not None and (place.folder / known.file).exists():
                _say(f"{place.folder / known.file} is not the file that was verified any more; it is deleted")
                (place.folder / known.file).unlink()
            found = _download(wanted, place, known, kaggle, patience, quiet)
        place.keep(found)
        return found


def agrees(size: int, mebibytes: float) -> bool:
    """Whether a size in bytes is the published number of MiB, which has three digits."""
    return float(f"{size / 2**20:.3g}") == mebibytes


def choose(listed: Sequence[RemoteFile], wanted: Wanted) -> RemoteFile:
    """The wanted file in Kaggle's listing. Raises UserError if it is not there."""
    by_name = {file.name: file for file in listed}
    for name in wanted.files:
        if name in by_name:
            return by_name[name]
    raise UserError(
        f"Kaggle lists no {' or '.join(wanted.files)}; it lists {', '.join(sorted(by_name)) or 'nothing'}. Check that"
        " the competition's data is open to this account"
    )


def _download(
    wanted: Wanted, place: _Place, known: Record | None, kaggle: Kaggle, patience: Patience, quiet: bool
) -> Record:
    problem = ""
    for _ in range(STARTS):
        # Anew each time: a size that differs may mean that the file was replaced at Kaggle.
        remote = choose(retrying(kaggle.files, patience), wanted)
        target = place.folder / remote.name
        try:
            if target.is_file():
                return _verified(wanted, target, remote, quiet)
            _transfer(place, kaggle, remote, patience, quiet)
            arrived = place.arrived(remote)
            record = _verified(wanted, arrived, remote, quiet)
            _check_as_before(record, known, place)
            _to_disk(arrived)
            arrived.replace(target)
            place.clear()
            return record
        except _WrongContentError as error:
            problem = str(error)
            _say(f"{remote.name}: {problem}; it is deleted")
            _remove(place, target)
        except DamagedArchiveError as error:
            problem = f"a checksum in it does not agree ({error.__cause__})"
            _say(f"{remote.name}: {problem}; it is deleted")
            _remove(place, target)
        except (KaggleError, _ChangedError):
            raise
        except UserError:
            _remove(place, target)
            raise
    raise UserError(
        f"{' or '.join(wanted.files)} arrived wrong {STARTS} times, the last time because {problem}; check the network"
        " and what may be in between, or download it with a browser, and set data.source to folder"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _check_as_before(record: Record, known: Record | None, place: _Place) -> None:
    if known is not None and known.file == record.file and known.sha256 != record.sha256:
        raise _ChangedError(
            f"Kaggle has changed {record.file}: its SHA-256 was {known.sha256} on {known.verified} and is"
            f" {record.sha256}. Results that were made from the earlier file do not belong to it: to go on, delete"
            f" {place.record_path} and name a new run in the configuration"
        )


def _remove(place: _Place, target: Path) -> None:
    target.unlink(missing_ok=True)
    place.clear()


def _transfer(place: _Place, kaggle: Kaggle, remote: RemoteFile, patience: Patience, quiet: bool) -> None:
    place.partial.mkdir(parents=True, exist_ok=True)
    _check_space(place, remote)
    with tqdm(
        total=remote.bytes,
        initial=place.size(),
        desc=remote.name,
        unit="B",
        unit_scale=True,
        unit_divisor=1024,
        disable=quiet,
    ) as bar:

        def attempt() -> None:
            largest = 0

            def watch() -> int:
                nonlocal largest
                size = place.size()
                largest = max(largest, size)
                bar.update(size - bar.n)
                _check_space(place, remote)
                return size

            try:
                kaggle.download(remote.name, place.partial, watch)
            except KaggleError:
                # The package may have put an error's text in the place of what had arrived, and would go on behind it.
                if place.size() < max(largest, _CHUNK_BYTES):
                    place.clear()
                    place.partial.mkdir()
                raise
            bar.update(place.size() - bar.n)

        retrying(attempt, patience, place.size)


def _check_space(place: _Place, remote: RemoteFile) -> None:
    missing, free = remote.bytes - place.size(), shutil.disk_usage(place.folder).free
    if missing > free:
        raise KaggleError(
            Kind.DISK_FULL,
            f"{remote.name} needs {missing / 2**30:.2f} GiB more and {place.folder} has {free / 2**30:.2f} GiB free;"
            " make room, or set data.folder to a place with more; what has arrived is kept",
        )


def _verified(wanted: Wanted, path: Path, remote: RemoteFile, quiet: bool) -> Record:
    """The record of a file that is as listed; raises where it is not."""
    before = path.stat()
    if before.st_size != remote.bytes and remote.bytes:
        with path.open("rb") as stream:
            start = stream.read(64).lstrip().lower()
        page = " of a web page" if start.startswith((b"<!doctype html", b"<html")) else ""
        raise _WrongContentError(f"it has {before.st_size:,} bytes{page}, and Kaggle lists {remote.bytes:,}")
    with tqdm(
        total=2 * before.st_size, desc=f"verifying {remote.name}", unit="B", unit_scale=True, disable=quiet
    ) as bar:
        sha256 = _sha256(path, bar.update)
        if remote.name.endswith(".zip"):
            members = check_archive(path, advance=bar.update)
            if not members:
                raise _WrongContentError("it is an empty archive")
        else:
            members = None
            _check_table(path, _TABLES[wanted.name])
    return Record(
        file=remote.name,
        bytes=before.st_size,
        sha256=sha256,
        members=members,
        verified=datetime.now(UTC).isoformat(timespec="seconds"),
        modified_ns=before.st_mtime_ns,
    )


def _sha256(path: Path, advance: Callable[[int], object]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()


def _check_table(path: Path, columns: Sequence[str]) -> None:
    """A CSV carries no checksum: beyond its size, only its form can be checked."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            rows = csv.reader(stream, strict=True)
            header = next(rows, [])
            if tuple(header[: len(columns)]) != tuple(columns):
                raise _WrongContentError(f"its first line is not that of a table with {', '.join(columns)}")
            if any(len(row) != len(header) for row in rows):
                raise _WrongContentError("its rows differ in length")
    except (UnicodeDecodeError, csv.Error) as error:
        raise _WrongContentError(f"it is not a table ({error})") from None


def _to_disk(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


@dataclass(frozen=True)
class _Place:
    """Where one file, its record, its lock and what has arrived of it lie."""

    folder: Path
    name: str

    @property
    def partial(self) -> Path:
        return self.folder / STATE / self.name

    @property
    def record_path(self) -> Path:
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
                _say(f"another process is at work on {self.name}; waiting for it")
                fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream.fileno()

    def record(self) -> Record | None:
        try:
            return Record(**json.loads(self.record_path.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise UserError(f"{self.record_path} is damaged; delete it, and the file is verified again") from None

    def keep(self, record: Record) -> None:
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
            if now.st_size != record.bytes or _sha256(path, bar.update) != record.sha256:
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
        """The file that has arrived, whatever the link called it."""
        files = [path for path in self.partial.iterdir() if not path.name.endswith(MARKER_SUFFIX)]
        if len(files) != 1:
            raise _WrongContentError(f"{len(files)} files arrived for {remote.name}")
        return files[0]

    def clear(self) -> None:
        """Delete what has arrived, and the package's note beside it."""
        shutil.rmtree(self.partial, ignore_errors=True)
