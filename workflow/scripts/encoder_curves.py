"""Draw the training curves of networks that began from ImageNet and from random weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.curves import draw_curves
from carvana.errors import main_guard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--history", nargs=3, action="append", required=True, metavar=("MODEL", "BEGINNING", "CSV"), help="a curve"
    )
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    given = parser.parse_args()
    histories = {(model, beginning): Path(path) for model, beginning, path in given.history}
    draw_curves(histories, given.out)
    print(f"curves in {given.out}")


if __name__ == "__main__":
    main_guard(main)
