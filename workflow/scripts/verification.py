"""Check a finished run against what is expected of it; write the table as JSON and JUnit XML."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from carvana.arrays import Mask
from carvana.data.imageset import ImageSet
from carvana.data.manifest import read_manifest
from carvana.errors import main_guard
from carvana.figures.bands import read_bands
from carvana.figures.digits import cpus_of, read_digits
from carvana.figures.of_run import figures_of
from carvana.leaderboard.record import read_scored
from carvana.provenance import package_versions
from carvana.reading import read_yaml
from carvana.verification.conformance import check_conformance
from carvana.verification.digits import check_digits
from carvana.verification.document import Verification, write_verification
from carvana.verification.figures import check_figures
from carvana.verification.folds import Scheme, check_scheme
from carvana.verification.grader import check_grader
from carvana.verification.leaderboard import check_leaderboard
from carvana.verification.weights import check_weights, weight_hashes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder of the run")
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument(
        "--scheme", nargs="+", action="append", required=True, metavar="WORD", help="NAME TABLE FOLDS [DIGEST]"
    )
    parser.add_argument("--model", nargs="+", action="append", required=True, metavar="WORD", help="NAME WEIGHTS ...")
    parser.add_argument("--note", action="append", default=[], help="on a model whose networks are not trained here")
    parser.add_argument("--published", type=Path, required=True, help="config/published.yaml")
    parser.add_argument("--conformance", type=Path, required=True, help="docs/conformance.md")
    parser.add_argument("--bands", type=Path, help="of repeated runs of this configuration, if there are any")
    parser.add_argument("--bands-differ", default="", help="in what this run's conditions differ from the bands'")
    parser.add_argument("--digits", type=Path, help="figures of a run of this configuration and seed, if there is one")
    parser.add_argument("--leaderboard", type=Path, help="what Kaggle said, if it was asked")
    parser.add_argument("--json", type=Path, required=True, help="to write")
    parser.add_argument("--junit", type=Path, required=True, help="XML to write")
    given = parser.parse_args()
    images = ImageSet(read_manifest(given.manifest))
    schemes = [Scheme(words[0], Path(words[1]), int(words[2]), "".join(words[3:])) for words in given.scheme]
    weights = {words[0]: [Path(word) for word in words[1:]] for words in given.model}
    hashes = weight_hashes(weights)
    bands = read_bands(given.bands) if given.bands else {}
    digits = read_digits(given.digits) if given.digits else None
    figures = figures_of(given.results)
    scored = read_scored(given.leaderboard) if given.leaderboard else []

    def masks() -> Iterator[tuple[str, Mask]]:
        for name in images.manifest.names:
            yield name, images.mask(name)

    checks = (
        *(check_scheme(scheme, images.manifest) for scheme in schemes),
        *check_weights(weights, hashes, given.note),
        *check_conformance(given.conformance),
        *check_grader(masks),
        *check_figures(figures, bands, given.bands_differ),
        *check_digits(figures, cpus_of(given.results), package_versions(), digits),
        *check_leaderboard(scored, read_yaml(given.published)),
    )
    write_verification(Verification(checks, hashes), given.json, given.junit)


if __name__ == "__main__":
    main_guard(main)
