"""Check submissions, send each to Kaggle unless it was sent before, and write down the scores."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.layout import find_table
from carvana.errors import main_guard
from carvana.geometry import GEOMETRIES
from carvana.leaderboard.ledger import Ledger
from carvana.leaderboard.record import write_scored
from carvana.leaderboard.run import score_at_kaggle
from carvana.recipe_files import EDITIONS
from carvana.submission.mask_table import sample_names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submission", nargs=2, action="append", required=True, metavar=("NAME", "FILE"))
    parser.add_argument("--competition", required=True, help="its name in Kaggle's addresses")
    parser.add_argument("--edition", choices=EDITIONS, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with Kaggle's sample_submission")
    parser.add_argument("--work-dir", type=Path, required=True, help="for unpacking it")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument("--ledger", type=Path, required=True, help="folder that says what was sent already")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    given = parser.parse_args()
    files = {name: Path(path) for name, path in given.submission}
    names = sample_names(find_table(given.data, "sample_submission", given.work_dir))
    size_HW = GEOMETRIES[given.geometry].image_size
    ledger = Ledger(given.ledger)
    write_scored(given.out, score_at_kaggle(files, names, size_HW, given.competition, given.edition, ledger))


if __name__ == "__main__":
    main_guard(main)
