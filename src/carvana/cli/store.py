"""List what was computed before and is kept, and delete what is not needed any more."""

from __future__ import annotations

import argparse
import math
import time
from typing import Final

from carvana.cli import configuration
from carvana.errors import UserError
from carvana.store.store import FACTS, Entry, Store
from carvana.text import size, table

SECONDS_PER_DAY: Final = 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    configuration.add_arguments(parser)
    parser.add_argument("--prune", nargs="+", default=[], metavar="KEY", help="delete these; a key's beginning will do")
    parser.add_argument(
        "--prune-unused",
        type=float,
        metavar="DAYS",
        help="delete what was not taken for so long and is in no run",
    )
    parser.add_argument("--prune-unfinished", action="store_true", help="delete what was begun and is not worked on")


def run(given: argparse.Namespace) -> None:
    """Delete what is asked for, then list what is left. Results of runs stay. Raises UserError."""
    plan = configuration.plan_of(given)
    store = Store(plan.store)
    # The default one is made by the first run.
    if plan.config["store"] and not store.folder.is_dir():
        raise UserError(f"{store.folder}: no such store; is `store` the run's?")
    entries = list(store.entries())
    for entry in wanted_away(entries, given, time.time()):
        occupied = entry.bytes
        store.remove(entry)
        entries.remove(entry)
        print(f"deleted {entry.key}, {size(occupied)}")
    columns = ("key", "step", "model", "fold", "state", "size", "unused for")
    rows = [_row(entry) for entry in entries]
    if rows:
        print(table(columns, rows))
    for entry in filter(_damaged, entries):
        print(
            f"{entry.key[:12]} is damaged: {entry.folder / FACTS} does not say what it is; delete it with"
            f" --prune {entry.key[:12]}, and what needs it is made again"
        )
    print(f"{len(entries)} results or trainings in {store.folder}, {size(sum(entry.bytes for entry in entries))}")


def wanted_away(entries: list[Entry], given: argparse.Namespace, now: float) -> list[Entry]:
    """The entries that the arguments ask to delete, each once.

    Raises:
        UserError: a key fits none or several, or days that cannot be.
    """
    days, found = given.prune_unused, list[Entry]()
    if days is not None and not 0 <= days < math.inf:
        raise UserError(f"--prune-unused {days:g}: give a number of days, 0 or more")
    for key in given.prune:
        if not key:
            raise UserError("--prune: an empty key would fit everything; give the beginning of one from the list")
        fitting = [entry for entry in entries if entry.key.startswith(key)]
        if len(fitting) != 1:
            raise UserError(f"{key} is the beginning of {len(fitting)} keys; the list shows them all")
        found += [entry for entry in fitting if entry not in found]
    for entry in entries:
        # A run's own files protect it from being made again while it is there, and take no room here.
        old = days is not None and now - entry.used > days * SECONDS_PER_DAY and not entry.shared
        unfinished = given.prune_unfinished and not entry.complete
        if (old or unfinished) and entry not in found and entry.owner is None:
            found.append(entry)
    return found


def _row(entry: Entry) -> tuple[str, ...]:
    facts, holder = entry.facts, entry.owner
    state = "complete" if entry.complete else f"worked on by {holder}" if holder else "begun"
    state = "damaged" if _damaged(entry) else state
    days = (time.time() - entry.used) / SECONDS_PER_DAY
    step, model, fold = (str(facts.get(name, "")) for name in ("step", "model", "fold"))
    return entry.key[:12], step, model, fold, state, size(entry.bytes), f"{days:.1f} days"


def _damaged(entry: Entry) -> bool:
    return not {"step", "model"} <= entry.facts.keys()
