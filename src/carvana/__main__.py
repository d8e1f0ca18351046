"""Tools for submissions and results; `python -m carvana <command> --help` explains one."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Final

from carvana.computing.allocation import keep_freed_memory
from carvana.errors import main_guard

# Command -> what it does. Each is the module of carvana.cli of its name, with `add_arguments(parser)` and `run(given)`.
COMMANDS: Final = {
    "validate": "check a submission as Kaggle would, before it is sent",
    "score": "Dice of a submission where the true masks are at hand",
    "show": "picture of an image: truth, each model's map, the ensemble, contours",
    "mask": "cut the car out of any photo with a finished run's networks",
    "plan": "what a target will cost on this machine's GPUs, before it is run",
    "status": "every training: waiting, running, interrupted or done",
    "store": "list and prune what was computed before",
}


def main() -> None:
    """Run the command that the program was called with."""
    keep_freed_memory()
    parser = argparse.ArgumentParser(prog="python -m carvana", description=__doc__)
    commands = parser.add_subparsers(metavar="command", required=True)
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        # Only the wanted command's module is imported: some need much more than others.
        if name in sys.argv[1:2]:
            module = import_module(f"carvana.cli.{name}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    given = parser.parse_args()
    given.run(given)


if __name__ == "__main__":
    main_guard(main)
