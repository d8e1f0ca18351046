"""Run the stand-in by hand: `python -m carvana.standin FOLDER` prints what to export, and serves until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import signal
import tempfile
from pathlib import Path
from typing import Final

from carvana.errors import UserError, main_guard
from carvana.geometry import GEOMETRIES, SMALL
from carvana.reading import read_json, readable
from carvana.standin.faults import ACTIONS, ENDPOINTS, FaultPlan
from carvana.standin.server import StandIn

# Not the name of Kaggle's competition: nobody should take one for the other.
SLUG: Final = "drawn-cars"


def main() -> None:
    """Serve a folder in Kaggle's layout as a competition."""
    parser = argparse.ArgumentParser(
        prog="python -m carvana.standin",
        description=__doc__,
        epilog="Faults: " + "; ".join(f"{name}: {what}" for name, what in ACTIONS.items()),
    )
    parser.add_argument("folder", type=Path, help="in Kaggle's layout, with solution.csv for scoring")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), default=SMALL.name, help="of the masks")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; any free one unless given")
    parser.add_argument(
        "--faults", type=Path, help=f'JSON: {{endpoint: [{{"action": ...}}, null, ...]}}; of {", ".join(ENDPOINTS)}'
    )
    given = parser.parse_args()
    if not given.folder.is_dir():
        raise UserError(f"{given.folder}: no such folder; give one in Kaggle's layout")
    # Both end it well; a shell starts what runs in its background with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    faults = FaultPlan()
    if given.faults:
        with readable(given.faults, "give a JSON file as --help tells"):
            faults = FaultPlan.from_json(read_json(given.faults))
    with contextlib.suppress(KeyboardInterrupt), tempfile.TemporaryDirectory() as uploads:
        server = StandIn(given.folder, GEOMETRIES[given.geometry], Path(uploads), faults, given.port, SLUG)
        with server:
            print(f"# The competition is called {SLUG}: --config competition={SLUG}", flush=True)
            for name, value in server.environment().items():
                print(f"export {name}={shlex.quote(value)}", flush=True)
            server.closing.wait()


if __name__ == "__main__":
    main_guard(main)
