import pytest

from carvana.recipe import AlbuSchedule
from carvana.recipe_files import load_recipe
from carvana.schedules.albu import learning_rate


def test_the_rate_falls_once_then_cycles_of_five_epochs_begin_at_the_restart():
    spec = load_recipe("linknet34_fma_s44").schedule
    assert isinstance(spec, AlbuSchedule)
    rates = [learning_rate(epoch, spec) for epoch in range(40)]
    assert rates[:12] == pytest.approx([1e-4] * 12, rel=1e-12)
    assert rates[12:23] == pytest.approx([1e-5] * 11, rel=1e-12)
    cycle = [1e-4, 1e-4, 1e-5, 1e-5, 1e-6]
    assert rates[23:] == pytest.approx((cycle * 4)[:17], rel=1e-12)
