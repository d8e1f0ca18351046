"""Print the verdict on a run; exit code 1 when the reproduction does not hold."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.errors import UserError, main_guard
from carvana.verification.document import format_checks, read_verification


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verification", type=Path, required=True, help="JSON that verification.py wrote")
    given = parser.parse_args()
    verification = read_verification(given.verification)
    print(format_checks(verification.checks), flush=True)
    if not verification.holds:
        raise UserError(verification.message)
    print(verification.message)


if __name__ == "__main__":
    main_guard(main)
