"""Map and score every training image by the network that did not train on its car."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.manifest import read_manifest
from carvana.errors import UserError, main_guard
from carvana.folds import folds_digest, read_folds
from carvana.interruption import ended_by_signals
from carvana.prediction.conditions import Conditions, facts_asked
from carvana.store.store import Store, Workplace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    Conditions.add_arguments(parser)
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--folds", type=Path, required=True, help="CSV: car, fold")
    parser.add_argument("--maps", type=Path, required=True, help="map store to write")
    parser.add_argument("--dice", type=Path, required=True, help="CSV to write: img, car, view, fold, dice")
    parser.add_argument("--timings", type=Path, required=True, help="JSON to write")
    parser.add_argument("--trained-with", help="SHA-256 of the folds that imported networks were trained with")
    given = parser.parse_args()
    manifest, folds = read_manifest(given.manifest), read_folds(given.folds)
    if given.trained_with not in (None, folds_digest(folds)):
        raise UserError(
            f"the released weights of {given.model} were trained with other folds than {given.folds}: they have seen"
            " cars that they would be judged by here. Submissions can be made of them, scores out of fold can not: ask"
            " for submissions/<name>.csv.gz alone, or have the training images that the weights are of"
        )
    facts = facts_asked(Path(__file__), given, manifest, folds=folds_digest(folds))

    def make(workplace: Workplace) -> None:
        conditions = Conditions.leased(given)

        # Imported late: the lease must come before torch, and wrong arguments should not wait for it.
        from carvana.prediction.validate import validate

        validate(conditions, manifest, folds, *(workplace.result / name for name in outputs))

    outputs = {"maps.h5": given.maps, "dice.csv": given.dice, "timings.json": given.timings}
    with ended_by_signals(requeued=False):
        Store(given.store).obtain(facts, outputs, make)


if __name__ == "__main__":
    main_guard(main)
