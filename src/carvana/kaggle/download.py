"""The competition's files from Kaggle: each verified once, kept beside its record, and never half there.

In the folder of the files, `.download` holds what is on its way and what is known: `<name>/` what has arrived so far,
`<name>.json` the record of a verified file, `<name>.lock` who is at work. A file appears under its own name only when
its size is the listed one and every checksum in it agrees.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tqdm import tqdm

from carvana.data.archives import DamagedArchiveError
from carvana.errors import UserError
from carvana.files import flush
from carvana.interruption import say
from carvana.kaggle.client import Kaggle, RemoteFile
from carvana.kaggle.content import Record, WrongContentError, verified
from carvana.kaggle.failures import KaggleError, Kind
from carvana.kaggle.local_file import LocalFile
from carvana.kaggle.retry import Patience, retrying

# How often a file is begun anew when what arrived is wrong.
STARTS: Final = 3
# As the package's: of a file that breaks off it keeps whole pieces of this size.
_CHUNK_BYTES: Final = 1 << 20
# How the tables begin; of the other files every member has a checksum.
_COLUMNS: Final = {"metadata": ("id",), "sample_submission": ("img", "rle_mask")}


@dataclass(frozen=True)
class Wanted:
    """A file of the competition.

    Attributes:
        name: ours: train_hq, train_masks, test_hq, metadata or sample_submission.
        files: the names that Kaggle may list it under, the preferred one first.
    """

    name: str
    files: Sequence[str]


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
        return _obtain(wanted, LocalFile(folder, wanted.name), connect, patience, quiet)
    except OSError as error:
        raise UserError(
            f"{error.filename or folder}: {error.strerror}; check the disk and the rights of {folder}, or set"
            " data.folder to another place"
        ) from error


def _obtain(
    wanted: Wanted, local: LocalFile, connect: Callable[[int], Kaggle], patience: Patience, quiet: bool
) -> Record:
    with local.locked() as lock:
        known = local.record()
        if known is not None and (current := local.current(known, quiet)):
            return current
        with connect(lock) as kaggle:
            if known is not None and (local.folder / known.file).exists():
                say(f"{local.folder / known.file} is not the file that was verified any more; it is deleted")
                (local.folder / known.file).unlink()
            found = _download(wanted, local, known, kaggle, patience, quiet)
        local.keep(found)
        return found


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
    wanted: Wanted, local: LocalFile, known: Record | None, kaggle: Kaggle, patience: Patience, quiet: bool
) -> Record:
    problem, columns = "", _COLUMNS.get(wanted.name, ())
    for _ in range(STARTS):
        # Anew each time: a size that differs may mean that the file was replaced at Kaggle.
        remote = choose(retrying(kaggle.files, patience), wanted)
        target = local.folder / remote.name
        try:
            if target.is_file():
                return verified(target, remote, columns, quiet)
            _transfer(local, kaggle, remote, patience, quiet)
            arrived = local.arrived(remote)
            record = verified(arrived, remote, columns, quiet)
            _check_as_before(record, known, local)
            flush(arrived)
            arrived.replace(target)
            local.clear()
            return record
        except WrongContentError as error:
            problem = str(error)
            say(f"{remote.name}: {problem}; it is deleted")
            _remove(local, target)
        except DamagedArchiveError as error:
            problem = f"a checksum in it does not agree ({error.__cause__})"
            say(f"{remote.name}: {problem}; it is deleted")
            _remove(local, target)
        except (KaggleError, _ChangedError):
            raise
        except UserError:
            _remove(local, target)
            raise
    raise UserError(
        f"{' or '.join(wanted.files)} arrived wrong {STARTS} times, the last time because {problem}; check the network"
        " and what may be in between, or download it with a browser, and set data.source to folder"
    )


def _check_as_before(record: Record, known: Record | None, local: LocalFile) -> None:
    if known is not None and known.file == record.file and known.sha256 != record.sha256:
        raise _ChangedError(
            f"Kaggle has changed {record.file}: its SHA-256 was {known.sha256} on {known.verified} and is"
            f" {record.sha256}. Results that were made from the earlier file do not belong to it: to go on, delete"
            f" {local.record_path} and name a new run in the configuration"
        )


def _remove(local: LocalFile, target: Path) -> None:
    target.unlink(missing_ok=True)
    local.clear()


def _transfer(local: LocalFile, kaggle: Kaggle, remote: RemoteFile, patience: Patience, quiet: bool) -> None:
    local.partial.mkdir(parents=True, exist_ok=True)
    _check_space(local, remote)
    with tqdm(
        total=remote.bytes,
        initial=local.size(),
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
                size = local.size()
                largest = max(largest, size)
                bar.update(size - bar.n)
                _check_space(local, remote)
                return size

            try:
                kaggle.download(remote.name, local.partial, watch)
            except KaggleError:
                # The package may have put an error's text in the place of what had arrived, and would go on behind it.
                if local.size() < max(largest, _CHUNK_BYTES):
                    local.clear()
                    local.partial.mkdir()
                raise
            bar.update(local.size() - bar.n)

        retrying(attempt, patience, local.size)


def _check_space(local: LocalFile, remote: RemoteFile) -> None:
    missing, free = remote.bytes - local.size(), shutil.disk_usage(local.folder).free
    if missing > free:
        raise KaggleError(
            Kind.DISK_FULL,
            f"{remote.name} needs {missing / 2**30:.2f} GiB more and {local.folder} has {free / 2**30:.2f} GiB free;"
            " make room, or set data.folder to a place with more; what has arrived is kept",
        )
