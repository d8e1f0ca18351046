"""Expensive results, stored by key: a job whose key is complete there takes the result and ends.

    <store>/<key>/facts.json       what the key is made of
                  result/...       the files
                  complete.json    their sizes and SHA-256; written last, so an entry with it is whole
                  state-..., ...   what an unfinished job continues from
                  claim-...        who works on it now

Results are hard links to the stored files, or copies where another run has these already or links cannot be; so pruning
the store takes nothing away from a run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from carvana.errors import UserError
from carvana.files import flush, sha256_of, whole_file, write_json
from carvana.interruption import say
from carvana.keys import Facts, digest_of
from carvana.reading import read_json
from carvana.store.claim import Claim, Owner, owner

RESULT: Final = "result"
COMPLETE: Final = "complete.json"
FACTS: Final = "facts.json"


@dataclass(frozen=True)
class Workplace:
    """Where a job works on an entry.

    Attributes:
        folder: the entry's, for what the job continues from.
        result: the folder for its files.
        check: raises UserError where another process has taken over; call it before writing.
    """

    folder: Path
    result: Path
    check: Callable[[], None]


@dataclass(frozen=True)
class Entry:
    """One key's folder, which need not exist."""

    folder: Path

    @property
    def key(self) -> str:
        """The key."""
        return self.folder.name

    @property
    def facts(self) -> dict[str, Any]:
        """What the key is made of; nothing where that cannot be read."""
        try:
            return dict(read_json(self.folder / FACTS))
        except (OSError, TypeError, ValueError):
            return {}

    @property
    def complete(self) -> bool:
        """Whether the result is there."""
        return (self.folder / COMPLETE).is_file()

    @property
    def shared(self) -> bool:
        """Whether files of a run are these very files, so that deleting them here frees nothing."""
        return any(_has_other_links(path) for path in (self.folder / RESULT).glob("*"))

    @property
    def owner(self) -> Owner | None:
        """Who works on it now."""
        return owner(self.folder)

    @property
    def bytes(self) -> int:
        """What it occupies."""
        total = 0
        for path in self.folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size if path.is_file() else 0
        return total

    @property
    def used(self) -> float:
        """When it was last made, taken or worked on, in seconds since 1970."""
        times = []
        # Not the folder's own time: to look whether a claim has ended, a file is made there for a moment.
        for path in self.folder.glob("[!.]*"):
            with contextlib.suppress(FileNotFoundError):
                times.append(path.stat().st_mtime)
        return max(times, default=0)

    def damage(self) -> str | None:
        """What is wrong with the stored files, if anything. Raises UserError where that cannot be told: what may be
        whole is not to be made again.
        """
        try:
            files = read_json(self.folder / COMPLETE)["files"]
            for name, expected in files.items():
                if sha256_of(self.folder / RESULT / name) != expected["sha256"]:
                    return f"{name} is not what was stored"
        except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
            return f"{error!r}"
        except PermissionError as error:
            raise UserError(
                f"{error.filename} cannot be read: ask its owner to let you (chmod g+r), or name another folder as"
                " `store`"
            ) from None
        except OSError as error:
            raise UserError(
                f"{self.folder} cannot be read ({error.strerror}): start again when its disk answers or, if it is lost,"
                f" delete it with `python -m carvana store --prune {self.key}`"
            ) from None
        return None

    def finish(self) -> None:
        """Declare the files in the result folder the result; what the job would have continued from goes."""
        files = {}
        for path in sorted((self.folder / RESULT).iterdir()):
            flush(path)
            files[path.name] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        flush(self.folder / RESULT)
        write_json(self.folder / COMPLETE, {"files": files})
        # Hidden ones are of processes that wait for their turn.
        for path in self.folder.glob("[!.]*"):
            if path.is_file() and path.name not in (COMPLETE, FACTS) and not path.name.startswith("claim-"):
                path.unlink(missing_ok=True)

    def discard_result(self) -> None:
        """Take the result away, so that it is made anew."""
        (self.folder / COMPLETE).unlink(missing_ok=True)
        shutil.rmtree(self.folder / RESULT, ignore_errors=True)

    def give(self, outputs: Mapping[str, Path]) -> None:
        """Put the result's files where they are wanted, by name."""
        for name, path in outputs.items():
            _place(self.folder / RESULT / name, path)
        with contextlib.suppress(OSError):
            os.utime(self.folder / COMPLETE)


@dataclass(frozen=True)
class Store:
    """Everything that is kept, under one folder."""

    folder: Path

    def entry(self, facts: Facts) -> Entry:
        """The entry for these facts."""
        return Entry(self.folder / digest_of(facts))

    def entries(self) -> Iterator[Entry]:
        """All entries."""
        if self.folder.is_dir():
            yield from (Entry(path) for path in sorted(self.folder.iterdir()) if (path / FACTS).is_file())

    def obtain(self, facts: Facts, outputs: Mapping[str, Path], make: Callable[[Workplace], None]) -> None:
        """Have the result where it is wanted: from the store, or made now, by this process or by another one.

        Args:
            facts: what the result is.
            outputs: where its files are wanted, by their names in the store.
            make: makes files of these names in the workplace's result folder, from the beginning or from where an
                earlier call was stopped.

        Raises:
            UserError: the store cannot be worked in, or another process has taken over from this one.
            ValueError: `make` has left a file out.
        """
        entry = self.entry(facts)
        if self._taken(entry, outputs):
            return
        with Claim.take(entry.folder, say) as claim:
            if self._taken(entry, outputs):
                return
            if entry.complete:
                entry.discard_result()
            write_json(entry.folder / FACTS, dict(sorted(facts.items())))
            result = entry.folder / RESULT
            # What an interrupted job left there is not whole.
            shutil.rmtree(result, ignore_errors=True)
            result.mkdir()
            make(Workplace(entry.folder, result, claim.check))
            claim.check()
            missing = outputs.keys() - {path.name for path in result.iterdir()}
            if missing:
                raise ValueError(f"{sorted(missing)} were not made")
            entry.finish()
            # Before others may prune what no run has yet.
            entry.give(outputs)

    def _taken(self, entry: Entry, outputs: Mapping[str, Path]) -> bool:
        if not entry.complete:
            return False
        damage = entry.damage()
        if damage is not None:
            say(f"the stored result {entry.folder} is damaged ({damage}); it is made anew")
            return False
        say(f"already made: taken from {entry.folder}")
        entry.give(outputs)
        return True

    def remove(self, entry: Entry) -> None:
        """Delete an entry. Raises UserError where someone works on it."""
        claim = Claim.take_if_free(entry.folder)
        if claim is None:
            raise UserError(f"{entry.folder} is being worked on by {entry.owner or 'another process'}; stop that first")
        with claim:
            # Not whole any more from the first moment on.
            (entry.folder / COMPLETE).unlink(missing_ok=True)
            # Under another name, so that nothing is taken from whoever begins the same meanwhile.
            removed = entry.folder.rename(f"{entry.folder}.removed-{uuid.uuid4().hex[:8]}")
        shutil.rmtree(removed)


def _place(stored: Path, wanted: Path) -> None:
    """Make `wanted` the stored file with today's date, which Snakemake compares with the inputs'.

    It is a hard link where it can be one. All links of a file have one date, so a run that has the file already would
    make anew what it made of it. And of files that their user may not write to, Snakemake replaces none.
    """
    with whole_file(wanted) as partial:
        partial.unlink(missing_ok=True)
        if _has_other_links(stored) or not os.access(stored, os.W_OK) or not _linked(stored, partial):
            shutil.copyfile(stored, partial)


def _linked(stored: Path, path: Path) -> bool:
    """Make `path` a link with today's date, if that can be."""
    try:
        os.link(stored, path)
        os.utime(path)
    except OSError:
        path.unlink(missing_ok=True)
        return False
    return True


def _has_other_links(path: Path) -> bool:
    return path.stat().st_nlink > 1
