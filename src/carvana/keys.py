"""The facts that define a network or a prediction; their digest is its key in the store.

Everything that is meant to change its numbers is a fact. Where files lie, how many processes load images and what is
shown meanwhile are not, as they change nothing. Nor are the number of GPUs that share a batch and activation
checkpointing: they change the order of sums, and so last bits, but a training may move between them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from carvana.catalogue import sections
from carvana.data.manifest import ImageRecord, still_there
from carvana.files import sha256_of
from carvana.geometry import FULL
from carvana.provenance import package_versions, recipe_digest, step_digest
from carvana.recipe_files import Edition

Facts = Mapping[str, Any]


def digest_of(facts: Facts) -> str:
    """The key: 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def images_digest(records: Iterable[ImageRecord], geometry: str) -> str:
    """Digest of the images' names and of the bytes that their pixels, and their masks', are read from.

    At full size these are the user's files, whose digests the manifest has; otherwise they were made from them, and
    are read here.

    Args:
        records: of the manifest.
        geometry: of the run.
    """
    digest = hashlib.sha256()
    for record in records:
        if geometry == FULL.name:
            files = [record.sha256, record.mask_sha256]
        else:
            files = [sha256_of(still_there(file)) if file else "" for file in (record.file, record.mask)]
        digest.update(f"{record.name} {' '.join(files)}\n".encode())
    return digest.hexdigest()


def computing(
    script: Path,
    *,
    model: str,
    edition: Edition,
    geometry: str,
    precision: str,
    device: str,
    threads: int,
    autotune: bool,
) -> dict[str, Any]:
    """The facts that trainings and predictions share: code, recipe values, packages, computing settings.

    The edition's values count, not its name: what two editions have in common is computed once.

    Args:
        script: of workflow/scripts.
        model: as recipes name it.
        edition: of the recipe.
        geometry: of the run.
        precision: of the run.
        device: `cpu` or `cuda`; which GPU is no fact, so that a training can move from one to another.
        threads: CPU threads of one operation: float sums depend on it, on the CPU.
        autotune: whether a GPU computes with whatever is fastest; on the CPU it makes no difference.
    """
    return {
        "step": script.stem,
        "model": model,
        "code": step_digest(script, model, edition),
        "recipe_values": recipe_digest(model, sections(script.name).values, edition=edition),
        "packages": package_versions(),
        "geometry": geometry,
        "precision": precision,
        "device": device,
        "threads": threads if device == "cpu" else None,
        "autotune": autotune and device == "cuda",
    }


def training(
    common: Facts,
    *,
    fold: int,
    epochs: int,
    images_per_step: int,
    seed: int,
    images: str,
    folds: str,
    encoder_weights: str | None,
    excluded: Sequence[str],
    pseudo_labels: str | None,
) -> dict[str, Any]:
    """The facts of one network's training.

    Args:
        common: see `computing`.
        fold: validated on.
        epochs: of the run.
        images_per_step: images per optimisation step.
        seed: of the run.
        images: digest of the training images.
        folds: see `folds.folds_digest`.
        encoder_weights: SHA-256 of the file of ImageNet weights, if any.
        excluded: names of images that are not trained on, sorted.
        pseudo_labels: digest of the test images with predicted masks that are trained on too, if any.
    """
    facts = {
        **common,
        "fold": fold,
        "epochs": epochs,
        "images_per_step": images_per_step,
        "seed": seed,
        "images": images,
        "folds": folds,
        "encoder_weights": encoder_weights,
        "excluded": list(excluded),
    }
    return facts if pseudo_labels is None else {**facts, "pseudo_labels": pseudo_labels}


def prediction(common: Facts, images: str, weights: Sequence[Path], **more: str | int) -> dict[str, Any]:
    """The facts of maps by trained networks.

    Args:
        common: see `computing`.
        images: digest of the images.
        weights: of the networks, in the order of the folds.
        more: what else it depends on, such as the folds, by name.
    """
    return {**common, "images": images, "weights": [sha256_of(path) for path in weights], **more}
