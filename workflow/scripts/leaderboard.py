"""Compare Kaggle's scores with the published ones; exit code 1 when one lies outside its band."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.errors import UserError, main_guard
from carvana.leaderboard.comparison import compare, format_comparison, format_others
from carvana.leaderboard.record import read_scored
from carvana.reading import read_yaml


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="JSON that submit.py wrote")
    parser.add_argument("--published", type=Path, required=True, help="config/published.yaml")
    given = parser.parse_args()
    published = read_yaml(given.published)
    rows = compare(read_scored(given.scores), published)
    print(f"{format_comparison(rows)}\nothers' scores:\n{format_others(published)}", flush=True)
    if outside := sum(row.outside for row in rows):
        raise UserError(f"{outside} of {len(rows)} scores lie outside their band, see the table")


if __name__ == "__main__":
    main_guard(main)
