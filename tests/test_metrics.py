import numpy as np
import pytest

from carvana import metrics, rle


def test_known_values():
    a = np.array([[1, 1, 0, 0]], np.uint8)
    b = np.array([[0, 1, 1, 1]], np.uint8)
    empty = np.zeros((1, 4), np.uint8)
    assert metrics.dice(a, b) == pytest.approx(2 / 5)
    assert metrics.dice(a, a * np.uint8(255)) == 1
    assert metrics.dice(a, empty) == 0
    assert metrics.dice(empty, empty) == 1


def test_runs_give_the_dice_of_the_images():
    rng = np.random.default_rng(5)
    for _ in range(300):
        size = tuple(rng.integers(1, 15, 2))
        a, b = ((rng.random(size) < rng.choice([0.0, 0.2, 0.5, 0.9, 1.0])).astype(np.uint8) for _ in range(2))
        runs_a, runs_b = rle.runs(rle.encode(a)), rle.runs(rle.encode(b))
        assert metrics.dice_of_runs(runs_a, runs_b) == metrics.dice(a, b)


def test_runs_that_touch_count_once():
    assert metrics.dice_of_runs(rle.runs("1 2 3 2"), rle.runs("1 4")) == 1


def test_masks_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="different shapes"):
        metrics.dice(np.zeros((2, 2), np.uint8), np.zeros((1, 2), np.uint8))
