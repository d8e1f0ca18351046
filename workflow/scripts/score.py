"""Score every row of the table, out of fold and, where the hidden truth is at hand, on the test images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final, cast

from carvana.data.manifest import read_manifest
from carvana.errors import main_guard
from carvana.geometry import GEOMETRIES
from carvana.grading.score_table import format_table, write_scores
from carvana.grading.scores import parse_entry, score
from carvana.grading.truth import hidden_truth, training_truth

ENTRY_HELP: Final = "LEVEL NAME OUT_OF_FOLD TEST [NOTE ...]; several tables of masks are joined by commas, - is none"


class _Kept(argparse.Action):
    """Keeps the entries of both options in their common order, which is that of the table."""

    def __call__(
        self, parser: object, namespace: argparse.Namespace, values: object, option_string: str | None = None
    ) -> None:
        words = cast("list[str]", values)
        namespace.entry = [*(namespace.entry or []), parse_entry(words, partial=option_string == "--partial")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entry", nargs="+", action=_Kept, required=True, metavar="WORD", help=ENTRY_HELP)
    partial_help = "as --entry, of masks that some training images lack"
    parser.add_argument("--partial", nargs="+", action=_Kept, dest="entry", metavar="WORD", help=partial_help)
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--solution", type=Path, help="the hidden truth: CSV with img, rle_mask, usage")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--csv", type=Path, required=True)
    given = parser.parse_args()
    geometry = GEOMETRIES[given.geometry]
    training = training_truth(read_manifest(given.manifest))
    hidden = hidden_truth(given.solution, geometry) if given.solution else None
    scores = [score(entry, training, hidden, geometry) for entry in given.entry]
    write_scores(scores, given.json, given.csv)
    print(f"mean Dice, {geometry.name} geometry\n{format_table(scores)}\nin {given.json} and {given.csv}")


if __name__ == "__main__":
    main_guard(main)
