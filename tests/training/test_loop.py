from dataclasses import replace

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from carvana.errors import UserError
from carvana.geometry import SMALL
from carvana.optimizers import Adam2017
from carvana.recipe_files import load_recipe
from carvana.training import parts
from carvana.training.batches import Batch
from carvana.training.callbacks import EpochRecord
from carvana.training.loop import Course, begin, fit, renews_optimizer, run_epoch

SIZE = 128


def batch(number, images=1):
    """`images` times one random image with its mask."""
    random = torch.Generator().manual_seed(number)
    image = torch.rand(1, 3, SIZE, SIZE, generator=random)
    mask = (torch.rand(1, 1, SIZE, SIZE, generator=random) > 0.5).float()
    return Batch((f"image {number}",) * images, image.repeat(images, 1, 1, 1), mask.repeat(images, 1, 1, 1))


def begin_training(model, batches_by_epoch):
    """A course of the recipe, and a state whose network is one convolution (ternausnet's returns probabilities)."""
    recipe = load_recipe(model)
    objective = parts.objective(recipe, SMALL)
    course = Course(
        recipe,
        objective,
        len(batches_by_epoch),
        lambda epoch, first: batches_by_epoch[epoch][first:],
        lambda first: [batch(99)][first:],
    )
    convolution = torch.nn.Conv2d(3, 1, 1)
    for parameter in convolution.parameters():
        torch.nn.init.constant_(parameter, 0.1)
    last = torch.nn.Sigmoid() if model == "ternausnet" else torch.nn.Identity()
    network = torch.nn.Sequential(convolution, last)
    return course, begin(course, network, network)


def train(model, batches_by_epoch):
    """The weight and the number of the optimizer's steps so far, after each epoch."""
    course, state = begin_training(model, batches_by_epoch)
    seen, steps = [], []
    handle = register_optimizer_step_post_hook(lambda *_: steps.append(1))
    try:
        fit(course, state, lambda step: None, lambda epoch: seen.append((state.network[0].weight.clone(), len(steps))))
    finally:
        handle.remove()
    return seen


def test_gradients_left_at_an_epochs_end_are_dropped():
    shared = [batch(number) for number in range(5)]
    (_, after_first), (weight, after_second) = train("unet_vgg11", [[*shared, batch(5)], [batch(7)]])
    assert (after_first, after_second) == (2, 3)
    assert torch.equal(weight, train("unet_vgg11", [[*shared, batch(6)], [batch(7)]])[1][0])
    assert not torch.equal(weight, train("unet_vgg11", [[*shared[:4], batch(6)], [batch(7)]])[1][0])


def gradient(model, images):
    """The gradient before the first step."""
    gradients = []
    handle = register_optimizer_step_pre_hook(
        lambda optimizer, *_: gradients.append(optimizer.param_groups[0]["params"][0].grad.clone())
    )
    try:
        train(model, [[batch(1, images)]])
    finally:
        handle.remove()
    return gradients[0]


def test_ternausnets_gradient_is_multiplied_by_the_batchs_size():
    """Four equal images have the mean gradient of one."""
    torch.testing.assert_close(gradient("ternausnet", 4), 4 * gradient("ternausnet", 1))
    torch.testing.assert_close(gradient("unet_vgg11", 4), gradient("unet_vgg11", 1))


def test_a_loss_that_is_not_finite_stops_the_training_and_names_the_images():
    broken = batch(3, images=2)
    broken.images_N3HW[1, 0, 0, 0] = float("nan")
    course, state = begin_training("linknet34_fma_s44", [[batch(1)], [batch(2), broken]])
    epochs: list[EpochRecord] = []
    with pytest.raises(UserError, match=r"the loss is nan in epoch 2 on the images image 3, image 3"):
        fit(course, state, lambda step: None, epochs.append)
    assert [record.epoch for record in epochs] == [0]
    assert all(parameter.isfinite().all() for parameter in state.network.parameters())


def test_a_validation_that_is_not_finite_stops_the_training_too():
    broken = batch(3)
    broken.images_N3HW[0, 0, 0, 0] = float("nan")
    course, state = begin_training("linknet34_fma_s44", [[batch(1)]])
    course = replace(course, validation_batches=lambda first: [batch(2), broken])
    with pytest.raises(UserError, match=r"the loss is nan in epoch 1 on the images image 3;"):
        fit(course, state, lambda step: None, lambda epoch: None)


@pytest.mark.parametrize(
    ("model", "epochs", "renewals"),
    [
        ("linknet34_fma_s44", 40, [23]),
        ("linknet34_fma_s44", 8, [5]),
        ("linknet34_fma_s44", 2, []),
        ("ternausnet", 3, [0, 1, 2]),
        ("unet_vgg11", 60, []),
    ],
)
def test_optimizer_renewal(model, epochs, renewals):
    recipe = load_recipe(model)
    assert [epoch for epoch in range(epochs) if renews_optimizer(recipe, epoch, epochs)] == renewals


def test_a_shortened_run_passes_the_recipes_rates_and_its_change_of_optimizer():
    course, state = begin_training("linknet34_f04a_clahe_rmsprop", [[batch(1)]] * 4)
    seen = []
    fit(course, state, lambda step: None, lambda epoch: seen.append((epoch, type(state.optimizer))))
    assert [record.recipe_epoch for record, _ in seen] == [0, 10, 20, 30]
    assert [record.learning_rate for record, _ in seen] == pytest.approx([1e-4, 1e-4, 1e-5, 1e-5])
    assert [kind for _, kind in seen] == [torch.optim.RMSprop] * 3 + [Adam2017]


def test_the_validation_chooses_the_epoch_not_the_training():
    """Where validation's masks are the opposite of training's, what is learnt makes it worse."""
    bright_on_the_left = torch.zeros(1, 1, SIZE, SIZE)
    bright_on_the_left[..., : SIZE // 2] = 1
    car = Batch(("car",), bright_on_the_left.expand(1, 3, SIZE, SIZE), bright_on_the_left)
    course, state = begin_training("ternausnet", [[car] * 5] * 3)
    judged = replace(car, masks_N1HW=1 - bright_on_the_left)
    course = replace(course, validation_batches=lambda first: [judged][first:])
    seen: list[EpochRecord] = []
    fit(course, state, lambda step: None, seen.append)
    train, valid = ([getattr(record, part)["loss"] for record in seen] for part in ("train", "valid"))
    assert train == sorted(train, reverse=True)
    assert valid == sorted(valid)
    assert [record.selected for record in seen] == [True, False, False]


def test_validation_of_the_unets_moves_the_running_statistics_and_they_are_what_is_kept():
    course, state = begin_training("unet_scratch", [[]])
    state.network = state.forward = torch.nn.Sequential(torch.nn.BatchNorm2d(3), state.network)
    run_epoch(course, state, lambda step: None)
    assert int(state.network[0].num_batches_tracked) == 1
    linknet, state = begin_training("linknet34_fma_s44", [[]])
    state.network = state.forward = torch.nn.Sequential(torch.nn.BatchNorm2d(3), state.network)
    run_epoch(linknet, state, lambda step: None)
    assert int(state.network[0].num_batches_tracked) == 0
