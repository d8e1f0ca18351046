"""What is written down about a training, beside its weights and its history."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import yaml

from carvana.catalogue import TRAINING
from carvana.computing.environment import computed_in
from carvana.computing.runtime import device_name, peak_memory_bytes
from carvana.data.manifest import Manifest, content_digest
from carvana.files import sha256_of, write_json
from carvana.provenance import package_versions, recipe_digest
from carvana.recipe_files import editions_of, resolved_document
from carvana.training.conditions import Conditions
from carvana.training.stopwatch import Stopwatch


def network_facts(conditions: Conditions, epoch: int) -> dict[str, Any]:
    """What a network's file of weights says of itself: whose it is, and the resolved recipe.

    Args:
        conditions: of its training.
        epoch: the run's, from 0, that the weights are of.
    """
    recipe = resolved_document(conditions.model, edition=conditions.edition)
    return {"model": conditions.model, "fold": conditions.fold, "epoch": epoch + 1, "recipe": recipe}


def recipe_record(conditions: Conditions, folds: int, pseudo_labelled: Manifest) -> dict[str, Any]:
    """The resolved recipe with the source of every value, and a section `run` with what this training adds to it.

    Args:
        conditions: of the run.
        folds: number of folds that the cars were cut into.
        pseudo_labelled: the test images that it was trained on too.
    """
    weights = conditions.encoder_weights
    run = asdict(conditions) | {
        "edition": ", ".join(_same_editions(conditions)),
        "folds": folds,
        "encoder_weights": "random" if weights is None else weights.name,
        "encoder_weights_sha256": None if weights is None else sha256_of(weights),
        "device_name": device_name(conditions.device),
        "packages": package_versions(),
    }
    if len(pseudo_labelled):
        digest = content_digest(pseudo_labelled)
        run["pseudo_labels"] = {
            "cars": len(pseudo_labelled.cars), "images": len(pseudo_labelled), "sha256": digest,
        }  # fmt: skip
    return resolved_document(conditions.model, edition=conditions.edition) | {"run": run}


def _same_editions(conditions: Conditions) -> list[str]:
    """The editions whose recipe for this training has the same values: one training serves them all."""
    own = recipe_digest(conditions.model, TRAINING.values, edition=conditions.edition)
    return [
        edition
        for edition in editions_of(conditions.model)
        if recipe_digest(conditions.model, TRAINING.values, edition=edition) == own
    ]


def write_recipe(record: dict[str, Any], path: Path) -> None:
    """Write the record as YAML, in its own order."""
    # Sections that variants share are one object; without this they would be written as anchors and aliases.
    document = json.loads(json.dumps(record))
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=120), encoding="utf-8")


def write_timings(conditions: Conditions, key: str, stopwatch: Stopwatch, path: Path) -> None:
    """Write the training's key, how long it took and what it needed, as JSON.

    Peak memory is that of the training process.
    """
    document = {
        "key": key,
        "seconds": stopwatch.seconds,
        "device": conditions.device,
        "device_name": device_name(conditions.device),
        "gpus": conditions.gpus if conditions.device == "cuda" else 0,
        "threads": conditions.threads,
        "workers": conditions.workers,
        "environment": computed_in(),
        "peak_memory_bytes": peak_memory_bytes(),
        "peak_device_memory_bytes": _most_on_a_gpu(conditions.gpus) if conditions.device == "cuda" else None,
        "epochs": [asdict(epoch) | {"images_per_second": epoch.images_per_second} for epoch in stopwatch.epochs],
    }
    write_json(path, document)


def _most_on_a_gpu(gpus: int) -> int:
    return max(torch.cuda.max_memory_allocated(number) for number in range(gpus))
