"""One network's training, from images on disk to weights on disk."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch

from carvana.data.manifest import ImageSet, Manifest
from carvana.encoder_weights import load_encoder
from carvana.files import whole_file
from carvana.folds import Folds
from carvana.geometry import GEOMETRIES
from carvana.networks.initialisation import initialise
from carvana.recipe import Recipe, load_recipe
from carvana.runtime import compute_in, configure
from carvana.training import parts
from carvana.training.batches import Loading
from carvana.training.draws import Draws
from carvana.training.events import EventFiles
from carvana.training.history import write_history
from carvana.training.loop import Course, begin, fit
from carvana.training.pixels import KeptPixels
from carvana.training.progress import Progress
from carvana.training.record import Conditions, recipe_record, write_recipe, write_timings
from carvana.training.records import EpochRecord, StepRecord
from carvana.training.split import split
from carvana.training.stopwatch import Stopwatch, work
from carvana.transforms.protocol import build_transforms
from carvana.weights import save_weights


@dataclass(frozen=True)
class Outputs:
    """Where results go. `weights`, `history`, `recipe` and `timings` appear when the training is done.

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
    network = parts.network(recipe)
    encoder = recipe.network.encoder
    initialise(network, encoder, torch.Generator().manual_seed(draws.torch_seed("init")))
    if encoder is not None and encoder_weights is not None:
        load_encoder(network, encoder, encoder_weights)
    return network


def train_network(conditions: Conditions, manifest: Manifest, folds: Folds, outputs: Outputs, quiet: bool) -> None:
    """Train one network and write its results; after an error none of the files is there.

    Args:
        conditions: of the run.
        manifest: of the training images.
        folds: fold by car.
        outputs: where results go.
        quiet: whether progress is left out.

    Raises:
        UserError: an image is unreadable, the encoder weights are wrong, or a loss is not finite.
    """
    configure(conditions.threads, conditions.precision)
    recipe, geometry = load_recipe(conditions.model), GEOMETRIES[conditions.geometry]
    device = torch.device(conditions.device)
    draws = Draws(conditions.seed, recipe.seed, conditions.model, conditions.fold)
    images = ImageSet(manifest)
    loading = Loading(
        recipe=recipe,
        split=split(manifest, folds, conditions.fold, frozenset(conditions.excluded)),
        pixels=KeptPixels(images) if geometry.name == "small" else images,
        transforms=build_transforms(recipe, geometry),
        draws=draws,
        epochs=conditions.epochs,
        device=device,
        workers=conditions.workers,
    )
    objective = parts.objective(recipe, geometry)
    course = Course(recipe, objective, conditions.epochs, loading.training_batches, loading.validation_batches)
    network = initial_network(recipe, draws, conditions.encoder_weights).to(device)
    state = begin(course, compute_in(network, conditions.precision, device))

    stopwatch = Stopwatch()
    label = f"{conditions.model} fold {conditions.fold}"
    run_work = conditions.epochs * work(loading.training_images, loading.validation_images)
    progress = None if quiet else Progress(label, conditions.epochs, run_work, stopwatch)
    events = EventFiles(outputs.tensorboard)
    history: list[EpochRecord] = []
    with ExitStack() as stack:
        stack.callback(events.close)
        names = (outputs.weights, outputs.history, outputs.recipe, outputs.timings)
        weights_file, history_file, recipe_file, timings_file = (
            stack.enter_context(whole_file(name)) for name in names
        )

        def on_step(record: StepRecord) -> None:
            stopwatch.step(record)
            if progress:
                progress.step(record)

        def on_epoch(record: EpochRecord) -> None:
            if record.selected:
                facts = {"model": conditions.model, "fold": conditions.fold, "epoch": record.epoch + 1}
                save_weights(weights_file, state.network.state_dict(), facts)
            stopwatch.epoch()
            history.append(record)
            events.epoch(record)
            if progress:
                progress.epoch(record)

        fit(course, state, on_step, on_epoch)
        write_history(history, history_file)
        write_recipe(recipe_record(conditions, len(set(folds.values()))), recipe_file)
        write_timings(conditions, stopwatch, timings_file)
