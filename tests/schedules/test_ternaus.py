import pytest

from carvana.recipe import TernausSchedule
from carvana.recipe_files import load_recipe
from carvana.schedules.ternaus import learning_rate


def test_epochs_counted_from_1_begin_one_epoch_before_the_first_halving():
    spec = load_recipe("ternausnet").schedule
    assert isinstance(spec, TernausSchedule)
    rates = [learning_rate(epoch, spec) for epoch in range(1, 12)]
    full, half, quarter = 1e-4, 5e-5, 2.5e-5
    expected = [full, half, half, quarter, full, full, half, half, quarter, full, full]
    assert rates == pytest.approx(expected, rel=1e-12)


def test_values_are_the_specs():
    spec = TernausSchedule(kind="ternaus", rate=1.0, factor=0.1, period=4, step=1)
    assert [learning_rate(epoch, spec) for epoch in range(5)] == pytest.approx([1, 0.1, 0.01, 0.001, 1])
