import pytest

from carvana.recipe import Selection
from carvana.training.selection import Best


@pytest.mark.parametrize(
    ("metric", "goal", "selected"),
    [("loss", "lowest", [True, False, True, False]), ("dice", "highest", [True, True, False, False])],
)
def test_only_a_strictly_better_epoch_is_selected(metric, goal, selected):
    best = Best()
    epochs = [
        {"loss": 2.0, "dice": 0.1},
        {"loss": 2.0, "dice": 0.5},
        {"loss": 1.0, "dice": 0.5},
        {"loss": 3.0, "dice": 0},
    ]
    found = [best.offer(Selection(metric=metric, goal=goal), values, n) for n, values in enumerate(epochs)]
    assert found == selected
    assert best.epoch == max(n for n, was_selected in enumerate(found) if was_selected)
    assert best.value == epochs[best.epoch][metric]
