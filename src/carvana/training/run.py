"""One network's training, from images on disk to weights on disk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import torch

from carvana.computing.runtime import configure
from carvana.computing.usable import require_usable
from carvana.data.imageset import ImageSet
from carvana.encoder_weights import load_encoder
from carvana.errors import UserError
from carvana.geometry import GEOMETRIES, SMALL
from carvana.interruption import Interruption, say
from carvana.networks.building import build_network
from carvana.networks.initialisation import initialise
from carvana.recipe import Recipe
from carvana.recipe_files import load_recipe
from carvana.training import parts
from carvana.training.checkpoints import Checkpoints
from carvana.training.conditions import Conditions
from carvana.training.dead_workers import told_of_dead_workers
from carvana.training.draws import Draws
from carvana.training.history import write_history
from carvana.training.loading import Loading
from carvana.training.loop import Course, begin, fit
from carvana.training.memory import enough_memory
from carvana.training.memory_count import Arrangement
from carvana.training.metadata import recipe_record, write_recipe, write_timings
from carvana.training.pixels import CachedMasks, CachedPixels
from carvana.training.prepared import Preparing, cached_if_resized
from carvana.training.recorder import Recorder
from carvana.training.session import Session
from carvana.training.slices import arranged
from carvana.training.split import TrainingImages, split
from carvana.training.stopwatch import work
from carvana.transforms.protocol import build_transforms


@dataclass(frozen=True)
class Outputs:
    """Where results go. `weights`, `history`, `recipe` and `timings` are written when the training is done.

    Attributes:
        weights: the selected epoch's, .safetensors.
        history: CSV, a row per epoch.
        recipe: YAML, the resolved recipe and what the run adds to it.
        timings: JSON.
        tensorboard: folder for event files, written as the training goes.
    """

    weights: Path
    history: Path
    recipe: Path
    timings: Path
    tensorboard: Path


def initial_network(recipe: Recipe, draws: Draws, encoder_weights: Path | None) -> torch.nn.Module:
    """The recipe's network with its first weights, on the CPU.

    Args:
        recipe: the recipe.
        draws: all weights are drawn from its "init".
        encoder_weights: ImageNet weights that then replace the encoder's; none: the encoder stays random.

    Raises:
        UserError: the file cannot be read or is not this encoder's.
    """
    network = build_network(recipe)
    encoder = recipe.network.encoder
    initialise(network, encoder, torch.Generator().manual_seed(draws.torch_seed("init")))
    if encoder is not None and encoder_weights is not None:
        load_encoder(network, encoder, encoder_weights)
    return network


def devices_of(conditions: Conditions) -> list[torch.device]:
    """The leased GPUs, as many as the training divides its batches among, or the CPU."""
    if conditions.device == "cpu":
        return [torch.device("cpu")]
    return [torch.device("cuda", number) for number in range(conditions.gpus)]


@dataclass(frozen=True)
class Saving:
    """How a training keeps its state while it runs.

    Attributes:
        folder: the training's own, where it also looks for a state to continue from.
        seconds: from one saved state to the next within an epoch; one is saved behind every epoch too.
        check: raises UserError where another process has taken over; called before every saving.
    """

    folder: Path
    seconds: float
    check: Callable[[], None] = lambda: None


def train_network(
    conditions: Conditions, images: TrainingImages, outputs: Outputs, saving: Saving, quiet: bool
) -> None:
    """Train one network, from its beginning or from where it was stopped, and write its results.

    On the CPU a training that was stopped any number of times gives the same bytes as one that was not.

    Args:
        conditions: of the run.
        images: of the run.
        outputs: where results go.
        saving: of its state.
        quiet: whether progress is left out.

    Raises:
        UserError: there are too few images for a batch, one is unreadable, the encoder weights are wrong, a loss is not
            finite, a loading process died, the state cannot be saved, or a GPU is unusable or has too little memory.
        Interrupted: a signal came; the state is saved.
    """
    with Interruption() as interruption:
        configure(conditions.threads, conditions.precision, conditions.autotune)
        session = _trained(conditions, images, outputs.tensorboard, saving, quiet, interruption)
        assert session.best is not None
        outputs.weights.hardlink_to(saving.folder / session.best)
        write_history(session.history, outputs.history)
        folds = len(set(images.folds.values()))
        write_recipe(recipe_record(conditions, folds, images.pseudo_labelled), outputs.recipe)
        write_timings(conditions, saving.folder.name, session.stopwatch, outputs.timings)


def _trained(
    conditions: Conditions,
    images: TrainingImages,
    tensorboard: Path,
    saving: Saving,
    quiet: bool,
    interruption: Interruption,
) -> Session:
    """The training at its end. What loads images is gone then: its processes end while signals are still noted."""
    recipe = load_recipe(conditions.model, edition=conditions.edition)
    recipe = recipe.with_images_per_step(conditions.images_per_step)
    geometry, devices = GEOMETRIES[conditions.geometry], devices_of(conditions)
    require_usable(devices, conditions.precision)
    draws = Draws(conditions.seed, recipe.seed, conditions.model, conditions.fold)
    loading = _loading(conditions, recipe, draws, images, saving.folder)
    objective = parts.objective(recipe, geometry)
    course = Course(recipe, objective, conditions.epochs, loading.training_batches, loading.validation_batches)
    arrangement = Arrangement(conditions.precision, len(devices), conditions.activation_checkpointing)
    with enough_memory(recipe, geometry, arrangement, devices):
        network = initial_network(recipe, draws, conditions.encoder_weights).to(devices[0])
        forward = arranged(network, conditions.precision, devices, conditions.activation_checkpointing)
        label = f"{conditions.model} fold {conditions.fold}"
        checkpoints = Checkpoints(saving.folder, saving.check, say)
        session = Session(label, recipe, begin(course, network, forward), checkpoints, saving.seconds)
        session.go_on()
        run_work = conditions.epochs * work(loading.training_images, loading.validation_images)
        recorder = Recorder(conditions, session, run_work, saving.folder, tensorboard, quiet, interruption)
        with closing(recorder), told_of_dead_workers():
            fit(course, session.state, recorder.step, recorder.epoch, recorder.rest)
    return session


def _loading(conditions: Conditions, recipe: Recipe, draws: Draws, images: TrainingImages, folder: Path) -> Loading:
    """The batches of the network's images, for the first device; prepared images may be kept in the folder."""
    geometry = GEOMETRIES[conditions.geometry]
    source = ImageSet(images.together)
    excluded, added = frozenset(conditions.excluded), images.pseudo_labelled.names
    parted = split(images.manifest, images.folds, conditions.fold, excluded, added)
    if recipe.training.drop_last and len(parted.training) < recipe.training.batch_size:
        raise UserError(
            f"{len(parted.training)} images make no batch of {recipe.training.batch_size}, and {recipe.recipe} leaves"
            f" incomplete ones out: set images_per_step.{recipe.recipe} to {len(parted.training)} or less"
        )
    pixels = CachedPixels(source) if geometry == SMALL else CachedMasks(source)
    transforms = build_transforms(recipe, geometry)
    names = (*parted.training, *parted.validation)
    return Loading(
        recipe=recipe,
        split=parted,
        pixels=pixels,
        prepared=cached_if_resized(Preparing(pixels, transforms), names, folder),
        transforms=transforms,
        draws=draws,
        epochs=conditions.epochs,
        device=devices_of(conditions)[0],
        workers=conditions.workers,
    )
