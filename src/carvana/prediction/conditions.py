"""Which networks run, where and how: what prediction and validation are told alike. Imports no torch."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from carvana.geometry import GEOMETRIES, Geometry
from carvana.gpu import device_class, lease
from carvana.keys import computing
from carvana.precision import PRECISIONS
from carvana.recipe import Recipe, load_recipe, model_names


@dataclass(frozen=True)
class Conditions:
    """How one model's networks are run.

    Attributes:
        recipe: of the model.
        weights: .safetensors files of its networks, in the order of the folds.
        geometry: of the run.
        precision: one of `precision.PRECISIONS`.
        device: `cpu` or `cuda`.
        threads: CPU threads of one operation.
        workers: threads that decode and prepare images.
        quiet: whether the progress bar is left out.
    """

    recipe: Recipe
    weights: tuple[Path, ...]
    geometry: Geometry
    precision: str
    device: str
    threads: int
    workers: int
    quiet: bool

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """Add the command line's arguments for them."""
        parser.add_argument("--model", choices=model_names(), required=True)
        parser.add_argument(
            "--weights", type=Path, nargs="+", required=True, help=".safetensors of every fold, in order"
        )
        parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
        parser.add_argument("--precision", choices=PRECISIONS, required=True)
        parser.add_argument("--gpus-wanted", type=int, required=True)
        parser.add_argument("--gpus-granted", type=int, required=True, help="0: the CPU")
        parser.add_argument("--gpu-memory", type=float, default=0, help="GiB that each GPU must have at least")
        parser.add_argument("--threads", type=int, required=True, help="CPU threads of one operation")
        parser.add_argument("--workers", type=int, required=True, help="threads that decode and prepare images")
        parser.add_argument("--store", type=Path, required=True, help="folder of what was computed before")
        parser.add_argument("--quiet", action="store_true", help="no progress bar")

    @classmethod
    def leased(cls, given: Namespace) -> Self:
        """The conditions that the arguments ask for; waits for the GPUs, see `gpu.lease`."""
        return cls(
            recipe=load_recipe(given.model),
            weights=tuple(given.weights),
            geometry=GEOMETRIES[given.geometry],
            precision=given.precision,
            device=lease(given.gpus_wanted, given.gpus_granted, given.gpu_memory),
            threads=given.threads,
            workers=given.workers,
            quiet=given.quiet,
        )


def common_facts(script: Path, given: Namespace) -> dict[str, Any]:
    """What the key of this script's result is made of, as far as the arguments say it."""
    device = device_class(given.gpus_wanted, given.gpus_granted)
    return computing(script, given.model, given.geometry, given.precision, device, given.threads)
