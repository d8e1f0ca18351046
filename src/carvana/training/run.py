"""One network's training, from images on disk to weights on disk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import torch

from carvana.data.imageset import ImageSet
from carvana.data.manifest import Manifest
from carvana.encoder_weights import load_encoder
from carvana.folds import Folds
from carvana.geometry import GEOMETRIES
from carvana.interruption import Interruption, say
from carvana.networks.building import build_network
from carvana.networks.initialisation import initialise
from carvana.recipe import Recipe, load_recipe
from carvana.runtime import configure, device_name
from carvana.training import parts
from carvana.training.batches import Loading, told_of_dead_workers
from carvana.training.checkpoints import Checkpoints
from carvana.training.conditions import Conditions
from carvana.training.draws import Draws
from carvana.training.events import EventFiles
from carvana.training.history import write_history
from carvana.training.loop import Course, begin, fit
from carvana.training.memory import Arrangement, require_memory, told_of_full_memory
from carvana.training.pixels import KeptMasks, KeptPixels
from carvana.training.prepared import Preparing, kept_where_it_pays
from carvana.training.progress import Progress
from carvana.training.record import network_facts, recipe_record, write_recipe, write_timings
from carvana.training.records import EpochRecord, StepRecord
from carvana.training.report import PROGRESS, Report
from carvana.training.session import Session
from carvana.training.slices import arranged
from carvana.training.split import split
from carvana.training.stopwatch import work
from carvana.transforms.protocol import build_transforms
from carvana.weights import save_weights


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
    conditions: Conditions,
    manifest: Manifest,
    folds: Folds,
    outputs: Outputs,
    saving: Saving,
    quiet: bool,
    pseudo_labelled: Manifest | None = None,
) -> None:
    """Train one network, from its beginning or from where it was stopped, and write its results.

    On the CPU a training that was stopped any number of times gives the same bytes as one that was not.

    Args:
        conditions: of the run.
        manifest: of the training images.
        folds: fold by car.
        outputs: where results go.
        saving: of its state.
        quiet: whether progress is left out.
        pseudo_labelled: test images with predicted masks, which are trained on too.

    Raises:
        UserError: an image is unreadable, the encoder weights are wrong, a loss is not finite, a loading process died,
            the state cannot be saved, or a GPU's memory does not suffice.
        Interrupted: a signal came; the state is saved.
    """
    with Interruption() as interruption:
        _train(conditions, manifest, folds, outputs, saving, quiet, pseudo_labelled, interruption)


def _train(
    conditions: Conditions,
    manifest: Manifest,
    folds: Folds,
    outputs: Outputs,
    saving: Saving,
    quiet: bool,
    pseudo_labelled: Manifest | None,
    interruption: Interruption,
) -> None:
    configure(conditions.threads, conditions.precision, conditions.autotune)
    recipe = load_recipe(conditions.model, edition=conditions.edition)
    recipe = recipe.with_images_per_step(conditions.images_per_step)
    geometry = GEOMETRIES[conditions.geometry]
    devices = devices_of(conditions)
    draws = Draws(conditions.seed, recipe.seed, conditions.model, conditions.fold)
    added = pseudo_labelled or Manifest(())
    images = ImageSet(Manifest(tuple(sorted((*manifest, *added), key=lambda record: record.name))))
    parted = split(manifest, folds, conditions.fold, frozenset(conditions.excluded), added.names)
    pixels = KeptPixels(images) if geometry.name == "small" else KeptMasks(images)
    transforms = build_transforms(recipe, geometry)
    names = (*parted.training, *parted.validation)
    loading = Loading(
        recipe=recipe,
        split=parted,
        pixels=pixels,
        prepared=kept_where_it_pays(Preparing(pixels, transforms), names, saving.folder),
        transforms=transforms,
        draws=draws,
        epochs=conditions.epochs,
        device=devices[0],
        workers=conditions.workers,
    )
    objective = parts.objective(recipe, geometry)
    course = Course(recipe, objective, conditions.epochs, loading.training_batches, loading.validation_batches)
    arrangement = Arrangement(conditions.precision, len(devices), conditions.activation_checkpointing)
    memory_guard: Callable[[], AbstractContextManager[None]] = nullcontext
    if conditions.device == "cuda":
        free = min(torch.cuda.mem_get_info(device)[0] for device in devices)
        require_memory(recipe, geometry, arrangement, free)
        memory_guard = partial(told_of_full_memory, recipe, geometry, arrangement, free)
    network = initial_network(recipe, draws, conditions.encoder_weights)
    label = f"{conditions.model} fold {conditions.fold}"
    with memory_guard():
        network = arranged(network.to(devices[0]), conditions.precision, devices, conditions.activation_checkpointing)
        state = begin(course, network)
        session = Session(label, recipe, state, Checkpoints(saving.folder, saving.check, say), saving.seconds)
        session.go_on()
    stopwatch = session.stopwatch
    run_work = conditions.epochs * work(loading.training_images, loading.validation_images)
    progress = None if quiet else Progress(label, conditions.epochs, run_work, stopwatch)
    report = Report(saving.folder / PROGRESS, conditions.epochs, run_work, device_name(conditions.device), stopwatch)
    events = EventFiles(outputs.tensorboard)
    with closing(events):
        for record in session.history:
            events.epoch(record)
            report.epoch(record)

        def on_step(record: StepRecord) -> None:
            stopwatch.step(record)
            report.step(record)
            if progress:
                progress.step(record)

        def on_epoch(record: EpochRecord) -> None:
            if record.selected:
                saving.check()
                session.best = f"best-{record.epoch + 1:04}.safetensors"
                facts = network_facts(conditions, record.epoch)
                save_weights(saving.folder / session.best, state.network.state_dict(), facts)
            stopwatch.epoch()
            session.history.append(record)
            events.epoch(record)
            report.epoch(record)
            if progress:
                progress.epoch(record)

        def on_rest(where: Literal["batch", "epoch"]) -> None:
            # The last epoch's state is the result.
            if state.next_epoch < conditions.epochs:
                session.rest(where, interruption)

        with told_of_dead_workers(), memory_guard():
            fit(course, state, on_step, on_epoch, on_rest)
        assert session.best is not None
        outputs.weights.hardlink_to(saving.folder / session.best)
        write_history(session.history, outputs.history)
        write_recipe(recipe_record(conditions, len(set(folds.values())), added), outputs.recipe)
        write_timings(conditions, saving.folder.name, stopwatch, outputs.timings)
