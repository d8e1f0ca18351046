"""Train one network: a model's fold."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.manifest import read_manifest
from carvana.errors import main_guard
from carvana.exclusion import excluded_from, read_exclusions
from carvana.files import sha256_of
from carvana.folds import folds_digest, read_folds
from carvana.geometry import GEOMETRIES
from carvana.gpu import device_class, lease
from carvana.interruption import ended_by_signals
from carvana.keys import computing_as_asked, images_digest, training
from carvana.precision import PRECISIONS
from carvana.recipe import EDITIONS, all_model_names, load_recipe
from carvana.store.store import Store, Workplace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=all_model_names(), required=True)
    parser.add_argument("--edition", choices=EDITIONS, required=True)
    parser.add_argument("--fold", type=int, required=True, help="validated on; the others are trained on")
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--folds", type=Path, required=True, help="CSV: car, fold")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
    parser.add_argument(
        "--epochs", type=int, help="fewer than the recipe's stand for all of them (default: the recipe's)"
    )
    parser.add_argument("--images-per-step", type=int, help="images per optimisation step (default: the recipe's)")
    parser.add_argument("--seed", type=int, required=True, help="everything random derives from it")
    parser.add_argument("--precision", choices=PRECISIONS, required=True)
    parser.add_argument("--autotune", action="store_true", help="on a GPU, whatever is fastest, deterministic or not")
    parser.add_argument("--encoder-weights", type=Path, help="file of ImageNet weights (default: random)")
    parser.add_argument("--exclude", type=Path, help="CSV: img, exclude; images marked 1 are not trained on")
    parser.add_argument("--pseudo-labels", type=Path, help="manifest of test images with predicted masks, to add")
    parser.add_argument("--activation-checkpointing", action="store_true", help="less memory of a GPU, more time")
    parser.add_argument("--gpus-wanted", type=int, required=True)
    parser.add_argument("--gpus-granted", type=int, required=True, help="0: the CPU")
    parser.add_argument("--gpu-memory", type=float, default=0, help="GiB that each GPU must have at least")
    parser.add_argument("--threads", type=int, required=True, help="CPU threads of one operation")
    parser.add_argument("--workers", type=int, required=True, help="processes that load images; 0: this one does")
    parser.add_argument("--weights", type=Path, required=True, help=".safetensors to write")
    parser.add_argument("--history", type=Path, required=True, help="CSV to write")
    parser.add_argument("--recipe", type=Path, required=True, help="YAML to write")
    parser.add_argument("--timings", type=Path, required=True, help="JSON to write")
    parser.add_argument("--tensorboard", type=Path, required=True, help="folder for event files")
    parser.add_argument("--store", type=Path, required=True, help="folder of what was computed before, or begun")
    parser.add_argument("--save-seconds", type=float, required=True, help="from one saved state to the next")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    given = parser.parse_args()
    manifest, folds = read_manifest(given.manifest), read_folds(given.folds)
    marked = read_exclusions(given.exclude, manifest) if given.exclude else frozenset()
    excluded = excluded_from(marked, manifest, folds, given.fold)
    device = device_class(given.gpus_wanted, given.gpus_granted)
    recipe_training = load_recipe(given.model, edition=given.edition).training
    epochs = given.epochs or recipe_training.epochs
    images_per_step = given.images_per_step or recipe_training.images_per_step
    script, images = Path(__file__), images_digest(manifest, given.geometry)
    common = computing_as_asked(script, given, device)
    encoder = sha256_of(given.encoder_weights) if given.encoder_weights else None
    added = read_manifest(given.pseudo_labels) if given.pseudo_labels else None
    digest = images_digest(added, given.geometry) if added else None
    facts = training(
        common,
        fold=given.fold,
        epochs=epochs,
        images_per_step=images_per_step,
        seed=given.seed,
        images=images,
        folds=folds_digest(folds),
        encoder_weights=encoder,
        excluded=excluded,
        pseudo_labels=digest,
    )

    def make(workplace: Workplace) -> None:
        lease(given.gpus_wanted, given.gpus_granted, given.gpu_memory)

        # Imported late: the lease must come before torch, and wrong arguments should not wait for it.
        from carvana.training.record import Conditions
        from carvana.training.run import Outputs, Saving, train_network

        conditions = Conditions(
            model=given.model,
            edition=given.edition,
            fold=given.fold,
            geometry=given.geometry,
            epochs=epochs,
            images_per_step=images_per_step,
            seed=given.seed,
            precision=given.precision,
            autotune=given.autotune and device == "cuda",
            device=device,
            gpus=given.gpus_wanted if device == "cuda" else 1,
            activation_checkpointing=given.activation_checkpointing and device == "cuda",
            threads=given.threads,
            workers=given.workers,
            encoder_weights=given.encoder_weights,
            excluded=tuple(excluded),
        )
        weights, history, recipe, timings = (workplace.result / name for name in outputs)
        results = Outputs(weights, history, recipe, timings, given.tensorboard)
        saving = Saving(workplace.folder, given.save_seconds, workplace.check)
        train_network(conditions, manifest, folds, results, saving, given.quiet, added)

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
