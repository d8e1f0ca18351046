"""Score every row of the table, out of fold and, where the hidden truth is at hand, on the test images."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.manifest import read_manifest
from carvana.errors import main_guard
from carvana.geometry import GEOMETRIES
from carvana.scores import format_table, hidden_truth, parse_entry, score, training_truth, write_scores

ENTRY_HELP = "LEVEL NAME OUT_OF_FOLD TEST [NOTE ...]; several tables of masks are joined by commas, - is none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entry", nargs="+", action="append", required=True, metavar="WORD", help=ENTRY_HELP)
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--solution", type=Path, help="the hidden truth: CSV with img, rle_mask, usage")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--csv", type=Path, required=True)
    given = parser.parse_args()
    geometry = GEOMETRIES[given.geometry]
    training = training_truth(read_manifest(given.manifest))
    hidden = hidden_truth(given.solution, geometry) if given.solution else None
    scores = [score(parse_entry(words), training, hidden, geometry) for words in given.entry]
    write_scores(scores, given.json, given.csv)
    print(f"mean Dice, {geometry.name} geometry\n{format_table(scores)}\nin {given.json} and {given.csv}")


if __name__ == "__main__":
    main_guard(main)
