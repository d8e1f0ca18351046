from importlib import import_module

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from carvana.geometry import FULL
from carvana.planning.cost import Size, finished_after, gflops_of, priority, training_work
from carvana.planning.forecast import WEIGHTS_BYTES, Jobs, hours_on
from carvana.planning.speeds import Speed
from carvana.recipe_files import load_recipe
from tests.planning.plans import plan

PUBLISHED = plan().published
MODELS = ("ternausnet", "linknet34_fma_s44", "unet_scratch", "unet_vgg11")


@pytest.mark.parametrize("model", MODELS)
def test_the_stated_operations_and_sizes_are_those_of_the_networks(model):
    recipe = load_recipe(model)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        network = import_module(recipe.modules.network).build(recipe.network.num_filters)
        network(torch.empty(1, 3, *(FULL.network_size(recipe.input.size))))
    assert counter.get_total_flops() / 1e9 == pytest.approx(gflops_of(PUBLISHED)[recipe.recipe], rel=1e-3)
    distinct = {id(tensor): tensor for tensor in network.parameters()}
    assert 4 * sum(tensor.numel() for tensor in distinct.values()) == pytest.approx(
        WEIGHTS_BYTES[recipe.recipe], rel=0.05
    )


def test_work_counts_gradients_validation_and_epochs():
    recipe = load_recipe("unet_scratch")
    one = training_work(recipe, 100, Size(10, 0), folds=2, epochs=1)
    # Half of ten images, three passes; the other half, one.
    assert one == 100 * (5 * 3 + 5)
    assert training_work(recipe, 100, Size(10, 0), folds=2, epochs=8) == 8 * one


def test_work_counts_replayed_batches():
    """LinkNet34 trains once more on the hardest of every ten batches."""
    recipe = load_recipe("linknet34_fma_s44")
    assert recipe.training.hard_negative_period == 10
    assert training_work(recipe, 100, Size(20, 0), folds=2, epochs=1) == pytest.approx(100 * (10 * 1.1 * 3 + 10))


def test_a_second_round_is_not_done_sooner_than_after_the_first_however_many_devices_there_are():
    speed = Speed(1, "measured")
    first = Jobs("first", 5, 1, 30.0, 0.0, speed)
    second = Jobs("second", 5, 1, 20.0, 0.0, speed, follows="first")
    assert hours_on([first, second], 20) == 50
    assert hours_on([second], 20) == 20
    assert hours_on([first, second], 1) == 250


def test_the_longest_trainings_have_the_highest_priority():
    order = sorted(MODELS, key=lambda model: priority(load_recipe(model), gflops_of(PUBLISHED)), reverse=True)
    assert order == ["unet_scratch", "ternausnet", "unet_vgg11", "linknet34_fma_s44"]


def test_jobs_on_devices():
    assert finished_after([3, 3, 2, 2, 2], 2) == 7
    assert finished_after([3, 3, 2, 2, 2], 1) == 12
    assert finished_after([3, 1], 20) == 3
