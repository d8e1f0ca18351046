"""Which networks run, where and how: shared by prediction and validation. Imports no torch."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from carvana.arguments import add_computing_arguments
from carvana.computing.lease import device_class, lease
from carvana.data.manifest import ImageRecord, Manifest, require_unchanged
from carvana.errors import UserError
from carvana.geometry import GEOMETRIES, Geometry
from carvana.keys import computing, images_digest, prediction
from carvana.recipe import Recipe
from carvana.recipe_files import load_recipe


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
        add_computing_arguments(parser)
        parser.add_argument(
            "--weights", type=Path, nargs="+", required=True, help=".safetensors of the folds' networks, in order"
        )
        parser.add_argument(
            "--networks", type=int, nargs="+", help="the folds that these are of (default: all, from 0 on)"
        )
        parser.add_argument("--workers", type=int, required=True, help="threads that decode and prepare images")

    @classmethod
    def leased(cls, given: Namespace) -> Self:
        """The conditions that the arguments ask for; waits for the GPUs, see `lease.lease`."""
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


def facts_asked(
    script: Path, given: Namespace, images: Manifest | Sequence[ImageRecord], **more: str
) -> dict[str, Any]:
    """What the key of a script's result is made of.

    Args:
        script: of workflow/scripts.
        given: its arguments.
        images: that maps are made of.
        more: see `keys.prediction`.

    Raises:
        UserError: fewer GPUs were granted than wanted, the weights are not one file per fold, or an image was changed.
    """
    common = computing(
        script,
        model=given.model,
        edition=given.edition,
        geometry=given.geometry,
        precision=given.precision,
        device=device_class(given.gpus_wanted, given.gpus_granted),
        threads=given.threads,
        autotune=given.autotune,
    )
    require_unchanged(images, given.manifest, given.geometry)
    folds = folds_of(given)
    networks = {} if folds is None else {"networks": list(folds)}
    return prediction(common | networks, images_digest(images, given.geometry), given.weights, **more)
