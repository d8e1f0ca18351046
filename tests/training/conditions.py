"""Conditions of small trainings, on one thread of the CPU."""

from typing import Any

from carvana.training.conditions import Conditions


def small_conditions(model: str, epochs: int, **changes: Any) -> Conditions:
    """Those of fold 0 and seed 0, but for the changes."""
    given: dict[str, Any] = {
        "edition": "released",
        "fold": 0,
        "geometry": "small",
        "images_per_step": 4,
        "seed": 0,
        "precision": "exact",
        "autotune": False,
        "device": "cpu",
        "gpus": 1,
        "activation_checkpointing": False,
        "threads": 1,
        "workers": 0,
        "encoder_weights": None,
        "excluded": (),
    }
    return Conditions(model=model, epochs=epochs, **(given | changes))
