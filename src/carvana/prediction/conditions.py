"""Which networks run, where and how: what prediction and validation are told alike. Imports no torch."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from carvana.errors import UserError
from carvana.geometry import GEOMETRIES, Geometry
from carvana.gpu import device_class, lease
from carvana.keys import computing_as_asked
from carvana.precision import PRECISIONS
from carvana.recipe import EDITIONS, Recipe, all_model_names, load_recipe


@dataclass(frozen=True)
class Conditions:
    """How one model's networks are run.

    Attributes:
        recipe: of the model.
        weights: .safetensors files of its networks, in the order of the folds.
        folds: that they are of, ascending, where a run has some of a model's networks only; none: all, from 0 on.
        geometry: of the run.
        precision: one of `precision.PRECISIONS`.
        autotune: whether whatever is fastest is computed with, deterministic or not; on a GPU only.
        device: `cpu` or `cuda`.
        threads: CPU threads of one operation.
        workers: threads that decode and prepare images.
        quiet: whether the progress bar is left out.
    """

    recipe: Recipe
    weights: tuple[Path, ...]
    folds: tuple[int, ...] | None
    geometry: Geometry
    precision: str
    autotune: bool
    device: str
    threads: int
    workers: int
    quiet: bool

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """Add the command line's arguments for them."""
        parser.add_argument("--model", choices=all_model_names(), required=True)
        parser.add_argument("--edition", choices=EDITIONS, required=True)
        parser.add_argument(
            "--weights", type=Path, nargs="+", required=True, help=".safetensors of the folds' networks, in order"
        )
        parser.add_argument(
            "--networks", type=int, nargs="+", help="the folds that these are of (default: all, from 0 on)"
        )
        parser.add_argument("--geometry", choices=tuple(GEOMETRIES), required=True)
        parser.add_argument("--precision", choices=PRECISIONS, required=True)
        parser.add_argument("--autotune", action="store_true", help="on a GPU, whatever is fastest")
        parser.add_argument("--gpus-wanted", type=int, required=True)
        parser.add_argument("--gpus-granted", type=int, required=True, help="0: the CPU")
        parser.add_argument("--threads", type=int, required=True, help="CPU threads of one operation")
        parser.add_argument("--workers", type=int, required=True, help="threads that decode and prepare images")
        parser.add_argument("--store", type=Path, required=True, help="folder of what was computed before")
        parser.add_argument("--quiet", action="store_true", help="no progress bar")

    @classmethod
    def leased(cls, given: Namespace) -> Self:
        """The conditions that the arguments ask for; waits for the GPUs, see `gpu.lease`."""
        device = lease(given.gpus_wanted, given.gpus_granted)
        return cls(
            recipe=load_recipe(given.model, edition=given.edition),
            weights=tuple(given.weights),
            folds=folds_of(given),
            geometry=GEOMETRIES[given.geometry],
            precision=given.precision,
            autotune=given.autotune and device == "cuda",
            device=device,
            threads=given.threads,
            workers=given.workers,
            quiet=given.quiet,
        )


def folds_of(given: Namespace) -> tuple[int, ...] | None:
    """The folds that the given weights are of, if they are named. Raises UserError unless one for each, ascending."""
    if given.networks is None:
        return None
    folds = tuple(given.networks)
    if len(folds) != len(given.weights) or list(folds) != sorted(set(folds)):
        raise UserError(
            f"{len(given.weights)} files of weights for the folds {', '.join(map(str, folds))}: give one file per fold,"
            " in ascending order"
        )
    return folds


def common_facts(script: Path, given: Namespace) -> dict[str, Any]:
    """What the key of this script's result is made of, as far as the arguments say it."""
    device = device_class(given.gpus_wanted, given.gpus_granted)
    facts = computing_as_asked(script, given, device)
    folds = folds_of(given)
    return facts if folds is None else facts | {"networks": list(folds)}
