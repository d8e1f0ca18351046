"""Train one network: a model's fold."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.computing.lease import lease
from carvana.data.manifest import Manifest, read_manifest, require_unchanged
from carvana.errors import main_guard
from carvana.exclusion import excluded_from, read_exclusions
from carvana.folds import read_folds
from carvana.interruption import ended_by_signals
from carvana.store.store import Store, Workplace
from carvana.training.conditions import Conditions
from carvana.training.split import TrainingImages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    Conditions.add_arguments(parser)
    parser.add_argument("--gpu-memory", type=float, default=0, help="GiB that each GPU must have at least")
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--folds", type=Path, required=True, help="CSV: car, fold")
    parser.add_argument("--exclude", type=Path, help="CSV: img, exclude; images marked 1 are not trained on")
    parser.add_argument("--pseudo-labels", type=Path, help="manifest of test images with predicted masks, to add")
    parser.add_argument("--weights", type=Path, required=True, help=".safetensors to write")
    parser.add_argument("--history", type=Path, required=True, help="CSV to write")
    parser.add_argument("--recipe", type=Path, required=True, help="YAML to write")
    parser.add_argument("--timings", type=Path, required=True, help="JSON to write")
    parser.add_argument("--tensorboard", type=Path, required=True, help="folder for event files")
    parser.add_argument("--save-seconds", type=float, required=True, help="from one saved state to the next")
    given = parser.parse_args()
    manifest, folds = read_manifest(given.manifest), read_folds(given.folds)
    require_unchanged(manifest, given.manifest, given.geometry)
    marked = read_exclusions(given.exclude, manifest) if given.exclude else frozenset()
    conditions = Conditions.asked(given, excluded_from(marked, manifest, folds, given.fold))
    added = read_manifest(given.pseudo_labels) if given.pseudo_labels else Manifest(())
    if given.pseudo_labels:
        require_unchanged(added, given.pseudo_labels, given.geometry)
    images = TrainingImages(manifest, folds, added)
    facts = conditions.facts(Path(__file__), images)

    def make(workplace: Workplace) -> None:
        lease(given.gpus_wanted, given.gpus_granted, given.gpu_memory)

        # Imported late: the lease must come before torch, and wrong arguments should not wait for it.
        from carvana.training.run import Outputs, Saving, train_network

        weights, history, recipe, timings = (workplace.result / name for name in outputs)
        results = Outputs(weights, history, recipe, timings, given.tensorboard)
        saving = Saving(workplace.folder, given.save_seconds, workplace.check)
        train_network(conditions, images, results, saving, given.quiet)

    outputs = {
        "weights.safetensors": given.weights,
        "history.csv": given.history,
        "recipe.yaml": given.recipe,
        "timings.json": given.timings,
    }
    with ended_by_signals(requeued=True):
        Store(given.store).obtain(facts, outputs, make)


if __name__ == "__main__":
    main_guard(main)
