import pytest

from carvana.recipe import MilestoneSchedule
from carvana.recipe_files import load_recipe
from carvana.schedules.asanakoy import learning_rate


def test_the_unet_halves_its_rate_at_epochs_100_and_200():
    spec = load_recipe("unet_scratch").schedule
    assert isinstance(spec, MilestoneSchedule)
    epochs = (0, 99, 100, 199, 200, 249)
    rates = [learning_rate(epoch, spec) for epoch in epochs]
    assert rates == pytest.approx([0.005, 0.005, 0.0025, 0.0025, 0.00125, 0.00125], rel=1e-12)


def test_the_vgg_unet_goes_through_three_cycles_of_twenty_epochs():
    spec = load_recipe("unet_vgg11").schedule
    assert isinstance(spec, MilestoneSchedule)
    cycle = [1e-4] * 10 + [1e-5] * 5 + [1e-6] * 5
    assert [learning_rate(epoch, spec) for epoch in range(60)] == pytest.approx(cycle * 3, rel=1e-12)


def test_a_cycle_halved_every_second_epoch_can_be_written_as_milestones():
    """The author's own cyclic schedule, with its default values."""
    spec = MilestoneSchedule(kind="milestones", rate=0.005, factor=0.5, milestones=(2, 4, 6, 8, 10), cycle=12)
    expected = [0.005 * 0.5 ** ((epoch % 12) // 2) for epoch in range(30)]
    assert [learning_rate(epoch, spec) for epoch in range(30)] == pytest.approx(expected, rel=1e-12)
