"""Analyse the out-of-fold maps of every training image; write a table of it, and the ranking of suspicious masks."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.imageset import ImageSet
from carvana.data.manifest import read_manifest
from carvana.errors import main_guard
from carvana.geometry import GEOMETRIES
from carvana.recipe_files import EDITIONS
from carvana.report.analysis import read_analysis, write_analysis
from carvana.report.audit import write_audit
from carvana.report.out_of_fold_maps import opened_maps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--maps", type=Path, nargs="+", required=True, help="every model's store of out-of-fold maps")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument("--threads", type=int, required=True, help="images that are analysed at once")
    parser.add_argument("--out", type=Path, required=True, help="CSV to write, a row per image")
    parser.add_argument("--audit", type=Path, required=True, help="CSV to write: img, exclude (0), and why")
    parser.add_argument("--edition", choices=EDITIONS, required=True)
    parser.add_argument("--common", action="store_true", help="only the images that all models have maps of")
    given = parser.parse_args()
    images = ImageSet(read_manifest(given.manifest))
    with opened_maps(given.maps, given.edition, given.common) as maps:
        write_analysis(images, maps, GEOMETRIES[given.geometry], given.threads, given.out)
    write_audit(read_analysis(given.out), given.audit)


if __name__ == "__main__":
    main_guard(main)
