"""The one training loop; a recipe's values decide what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from carvana.computing.forward import Forward
from carvana.recipe import Recipe
from carvana.training import parts
from carvana.training.batches import Batch
from carvana.training.callbacks import EpochRecord, OnEpoch, OnRest, OnStep, StepRecord
from carvana.training.finite import as_floats, require_finite, require_numbers
from carvana.training.hard_negatives import HardNegatives
from carvana.training.parts import Objective
from carvana.training.state import EpochProgress, TrainingState
from carvana.training.validation import validate


@dataclass(frozen=True)
class Course:
    """What a training follows from its first epoch to its last.

    Attributes:
        recipe: the recipe.
        objective: its loss and reported measures.
        epochs: length of the run; the recipe's own, or fewer, which then stand for all of them.
        training_batches: the batches of a run's epoch, from 0, in order, beginning with the given one.
        validation_batches: the validation batches in order, beginning with the given one.
    """

    recipe: Recipe
    objective: Objective
    epochs: int
    training_batches: Callable[[int, int], Iterable[Batch]]
    validation_batches: Callable[[int], Iterable[Batch]]


def begin(course: Course, network: torch.nn.Module, forward: Forward) -> TrainingState:
    """The state before the first epoch, of a network and its forward pass."""
    period = course.recipe.training.hard_negative_period
    return TrainingState(
        network=network,
        forward=forward,
        optimizer=parts.optimizer(course.recipe, course.recipe.optimizer.name, network),
        hard_negatives=None if period is None else HardNegatives(period),
    )


def fit(
    course: Course, state: TrainingState, on_step: OnStep, on_epoch: OnEpoch, on_rest: OnRest = lambda _: None
) -> None:
    """Train from where the state is until the course's last epoch is done.

    Args:
        course: to follow.
        state: changed as the training goes.
        on_step: sees every batch.
        on_epoch: sees every epoch, and the network as it would be kept.
        on_rest: called where all of the training is in `state`; what it raises ends the training.

    Raises:
        UserError: a loss is not finite; the message names the batch's images.
    """
    while state.next_epoch < course.epochs:
        on_epoch(run_epoch(course, state, on_step, on_rest))
        on_rest("epoch")


def run_epoch(course: Course, state: TrainingState, on_step: OnStep, on_rest: OnRest = lambda _: None) -> EpochRecord:
    """Train on one epoch, validate, and decide whether its weights (those after validation) are the best so far.

    It goes on where the state is within the epoch.
    """
    recipe, epoch = course.recipe, state.next_epoch
    recipe_epoch = recipe.epoch_of(epoch, course.epochs)
    begun = state.place.phase == "valid" or state.place.batches > 0
    if not begun and renews_optimizer(recipe, epoch, course.epochs):
        assert recipe.optimizer.renewed_as is not None
        state.optimizer = parts.optimizer(recipe, recipe.optimizer.renewed_as, state.network)
    learning_rate = parts.learning_rate(recipe, recipe_epoch)
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate
    if state.place.phase == "train":
        batches = course.training_batches(epoch, state.place.batches)
        trained = train_epoch(recipe, course.objective, state, batches, on_step, on_rest)
        state.place = EpochProgress("valid", trained=trained)
    train, batches = state.place.trained, course.validation_batches(state.place.batches)
    valid = validate(recipe.validation, course.objective, state, batches, on_step, on_rest)
    selected = state.best.offer(recipe.selection, valid, epoch)
    state.place = EpochProgress()
    state.next_epoch += 1
    return EpochRecord(epoch, recipe_epoch, learning_rate, train, valid, selected)


def renews_optimizer(recipe: Recipe, epoch: int, run_epochs: int) -> bool:
    """Whether a new optimizer begins the run's epoch (from 0): in a shortened run the first one that stands for the
    recipe's epoch of renewal or a later one.
    """
    optimizer = recipe.optimizer
    if optimizer.renewed == "at_epoch":
        assert optimizer.renewed_at is not None
        before = epoch > 0 and recipe.epoch_of(epoch - 1, run_epochs) >= optimizer.renewed_at
        return recipe.epoch_of(epoch, run_epochs) >= optimizer.renewed_at and not before
    return optimizer.renewed == "every_epoch"


def train_epoch(
    recipe: Recipe,
    objective: Objective,
    state: TrainingState,
    batches: Iterable[Batch],
    on_step: OnStep,
    on_rest: OnRest = lambda _: None,
) -> dict[str, float]:
    """Train on the batches of one epoch, in order, from the one that the state's place names on.

    With `accumulate: n` gradients are summed, and the step is taken after batches 0, n, 2n, ..., as in the released
    asanakoy scripts: the first step of an epoch has one batch, and what its last batches left over is dropped here.

    Returns:
        Means of loss terms and measures over the batches; replayed hard negatives are left out of them, as in the
        released albu script.
    """
    state.network.train()
    place = state.place
    if not place.batches:
        state.optimizer.zero_grad(set_to_none=True)
    memory = state.hard_negatives
    for number, batch in enumerate(batches, place.batches):
        takes_step = number % recipe.training.accumulate == 0
        values = _train_on(batch, recipe, objective, state, takes_step)
        place.means.add(values)
        on_step(StepRecord(state.next_epoch, "train", number, batch.names, values))
        if memory is not None:
            memory.offer(batch, values["loss"])
            hardest = memory.take(number)
            if hardest is not None:
                values = _train_on(hardest, recipe, objective, state, takes_step)
                on_step(StepRecord(state.next_epoch, "replay", number, hardest.names, values))
        place.batches = number + 1
        on_rest("batch")
    state.place = EpochProgress()
    return place.means.values()


def _train_on(
    batch: Batch, recipe: Recipe, objective: Objective, state: TrainingState, takes_step: bool
) -> dict[str, float]:
    """Add the batch's gradient and, if asked, step; the values of its loss terms and measures before the step."""
    output_N1HW = state.forward(batch.images_N3HW)
    require_numbers(output_N1HW, state.next_epoch, batch.names)
    terms = objective.terms(output_N1HW, batch.masks_N1HW)
    with torch.no_grad():
        measures = objective.measures(output_N1HW, batch.masks_N1HW)
    values = as_floats(terms | measures)
    require_finite({"loss": values["loss"]}, state.next_epoch, batch.names)
    training = recipe.training
    scale = len(batch.names) if training.gradient_scale == "batch" else 1
    (scale * terms["loss"]).backward()  # type: ignore[no-untyped-call]
    if takes_step:
        if training.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(state.network.parameters(), training.clip_norm)
        state.optimizer.step()
        state.optimizer.zero_grad(set_to_none=True)
    return values
