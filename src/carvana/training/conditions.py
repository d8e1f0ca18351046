"""A run's settings beyond the recipe, and the key of the network they make. Imports no torch."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from carvana import keys
from carvana.arguments import add_computing_arguments
from carvana.computing.lease import device_class
from carvana.files import sha256_of
from carvana.folds import folds_digest
from carvana.recipe_files import Edition, load_recipe
from carvana.training.split import TrainingImages


@dataclass(frozen=True)
class Conditions:
    """What a run adds to a recipe.

    Attributes:
        model: as recipes name it.
        edition: of the recipe.
        fold: the fold validated on.
        geometry: name of the geometry.
        epochs: of the run; the recipe's own, or fewer that stand for all.
        images_per_step: images per optimisation step; the recipe's own, or others for a small run.
        seed: everything random derives from it.
        precision: one of `precision.PRECISIONS`.
        autotune: whether whatever is fastest is computed with, deterministic or not; on a GPU only.
        device: `cpu` or `cuda`.
        gpus: that share every batch; 1 on the CPU.
        activation_checkpointing: whether activations are computed twice to save memory, see `slices.arranged`.
        threads: CPU threads of one operation.
        workers: processes that load images; none: the training process does.
        encoder_weights: file of ImageNet weights; none: the encoder begins from random weights.
        excluded: names of the images that are left out of training, sorted.
    """

    model: str
    edition: Edition
    fold: int
    geometry: str
    epochs: int
    images_per_step: int
    seed: int
    precision: str
    autotune: bool
    device: str
    gpus: int
    activation_checkpointing: bool
    threads: int
    workers: int
    encoder_weights: Path | None
    excluded: tuple[str, ...]

    @staticmethod
    def add_arguments(parser: ArgumentParser) -> None:
        """Add the command line's arguments for them, but for `excluded`."""
        add_computing_arguments(parser)
        parser.add_argument("--fold", type=int, required=True, help="validated on; the others are trained on")
        parser.add_argument(
            "--epochs", type=int, help="fewer than the recipe's stand for all of them (default: the recipe's)"
        )
        parser.add_argument("--images-per-step", type=int, help="images per optimisation step (default: the recipe's)")
        parser.add_argument("--seed", type=int, required=True, help="everything random derives from it")
        parser.add_argument("--encoder-weights", type=Path, help="file of ImageNet weights (default: random)")
        parser.add_argument("--activation-checkpointing", action="store_true", help="less memory of a GPU, more time")
        parser.add_argument("--workers", type=int, required=True, help="processes that load images; 0: this one does")

    @classmethod
    def asked(cls, given: Namespace, excluded: Sequence[str]) -> Self:
        """The conditions that the arguments ask for. Raises UserError unless as many GPUs were granted as wanted."""
        device = device_class(given.gpus_wanted, given.gpus_granted)
        recipe = load_recipe(given.model, edition=given.edition).training
        return cls(
            model=given.model,
            edition=given.edition,
            fold=given.fold,
            geometry=given.geometry,
            epochs=given.epochs or recipe.epochs,
            images_per_step=given.images_per_step or recipe.images_per_step,
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

    def facts(self, script: Path, images: TrainingImages) -> dict[str, Any]:
        """What the key of the network is made of.

        Args:
            script: of workflow/scripts.
            images: of the run.
        """
        added = images.pseudo_labelled
        return keys.training(
            keys.computing(
                script,
                model=self.model,
                edition=self.edition,
                geometry=self.geometry,
                precision=self.precision,
                device=self.device,
                threads=self.threads,
                autotune=self.autotune,
            ),
            fold=self.fold,
            epochs=self.epochs,
            images_per_step=self.images_per_step,
            seed=self.seed,
            images=keys.images_digest(images.manifest, self.geometry),
            folds=folds_digest(images.folds),
            encoder_weights=sha256_of(self.encoder_weights) if self.encoder_weights else None,
            excluded=self.excluded,
            pseudo_labels=keys.images_digest(added, self.geometry) if added else None,
        )
