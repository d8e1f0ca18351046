"""Write the report of a finished run: one HTML file that needs no other and no network."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from carvana.data.imageset import ImageSet
from carvana.data.layout import find_table
from carvana.data.manifest import read_manifest
from carvana.errors import UserError, main_guard
from carvana.grading.score_table import read_scores
from carvana.recipe_files import EDITIONS
from carvana.report.editions import editions
from carvana.report.out_of_fold_maps import opened_maps
from carvana.report.record import read_run
from carvana.report.report import write_report
from carvana.report.rounds import pseudo_labels, read_rounds
from carvana.revision import IMAGE_VARIABLE, revision


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder of the run")
    parser.add_argument("--edition", choices=EDITIONS, required=True)
    parser.add_argument("--model", nargs=2, action="append", required=True, metavar=("NAME", "FOLD,FOLD..."))
    parser.add_argument("--test-parts", nargs="+", required=True, help="names of the shards of the test images")
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--maps", type=Path, nargs="+", required=True, help="every model's store of out-of-fold maps")
    parser.add_argument("--common", action="store_true", help="models have maps of different images; all have some")
    parser.add_argument("--masks", type=Path, required=True, help="the ensemble's masks of the training images")
    parser.add_argument("--data", type=Path, required=True, help="folder with Kaggle's metadata.csv, if it has it")
    parser.add_argument("--work-dir", type=Path, required=True, help="for unpacking it")
    parser.add_argument("--published", type=Path, required=True, help="config/published.yaml")
    parser.add_argument(
        "--second-round", nargs=2, metavar=("SECOND", "FIRST"), help="models, if there are pseudo-labels"
    )
    parser.add_argument("--precondition", type=Path, help="what was found of it")
    parser.add_argument("--teacher", type=Path, action="append", default=[], help="folder of pseudo-labels")
    parser.add_argument("--other", nargs=2, metavar=("EDITION", "SCORES"), help="the other edition's, if it was run")
    parser.add_argument("--leaderboard", type=Path, help="what Kaggle said, if it was asked")
    parser.add_argument("--out", type=Path, required=True, help="HTML to write")
    given = parser.parse_args()
    try:
        metadata = find_table(given.data, "metadata", given.work_dir)
    except UserError as error:
        print(f"note: {error}")
        metadata = None
    folds_of = {name: [int(fold) for fold in folds.split(",")] for name, folds in given.model}
    run = read_run(
        given.results, given.edition, folds_of, given.test_parts, given.published, metadata, given.leaderboard
    )
    images = ImageSet(read_manifest(given.manifest))
    name, image = given.results.name, os.environ.get(IMAGE_VARIABLE, "")
    more = []
    if given.second_round:
        second, first = given.second_round
        rounds = read_rounds(first, second, given.precondition, given.teacher)
        more.append(pseudo_labels(run, rounds, given.out.parent))
    if given.other:
        edition, scores = given.other
        more.append(editions(run, edition, read_scores(Path(scores))))
    with opened_maps(given.maps, given.edition, given.common) as maps:
        write_report(run, name, images, maps, given.masks, revision(), image, given.out, more)
    print(f"{given.out}: {given.out.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main_guard(main)
