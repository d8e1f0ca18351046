"""Shares of what the device can do, by counted operations and bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.gpu.place import Place
from benchmarks.gpu.traffic import bytes_of_prediction, bytes_of_training
from carvana.recipe import Recipe
from carvana.training.stopwatch import TRAINING_PASSES


def with_shares(row: dict[str, Any], rates: dict[str, float], recipe: Recipe, place: Place, gflop: float) -> None:
    """Add to the row its shares of the matrix rate and of the bandwidth, by counted operations and bytes, and how much
    of the device's own speed loading leaves.
    """
    peak, precision, folds = rates[f"{row['precision']}_tflops"] * 1000, row["precision"], recipe.folds.count
    gflops = {"training": TRAINING_PASSES * gflop, "prediction": folds * (2 if recipe.prediction.mirror else 1) * gflop}
    moved: dict[str, Callable[[], float]] = {
        "training": lambda: bytes_of_training(
            recipe.model, place.geometry, precision, row["checkpointing"], row["autotune"]
        ),
        "prediction": lambda: folds * bytes_of_prediction(recipe.model, place.geometry, precision),
    }
    for kind, whole in (("training", "training_loaded"), ("prediction", "prediction_from_files")):
        if row.get(kind):
            row[f"{kind}_share_of_matrix_rate"] = row[kind] * gflops[kind] / peak
            row[f"{kind}_share_of_bandwidth"] = row[kind] * moved[kind]() / 1e9 / rates["bandwidth_gb_per_s"]
            if row.get(whole):
                row[f"{whole}_share"] = row[whole] / row[kind]
