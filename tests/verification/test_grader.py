"""The grader's self-tests: answers whose score is known beforehand."""

import csv
import math

import numpy as np
import pytest

from carvana import rle
from carvana.data.synthetic.dataset import write_competition
from carvana.files import write_table
from carvana.geometry import SMALL
from carvana.grading.dice import dice_by_image, mean_dice
from carvana.grading.given_truth import read_truth
from carvana.metrics import dice
from carvana.submission.mask_table import COLUMNS, read_masks
from carvana.verification.grader import check_grader, dice_of_shifted, shifted


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A drawn competition's folder, and the scored images' true masks as pixels, read without the grader's code."""
    folder = tmp_path_factory.mktemp("competition")
    write_competition(folder, 3, 1, 1, SMALL.image_size, archives=False)
    with (folder / "solution.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["usage"] != "Ignored"]
    pixels = {}
    for row in rows:
        flat = np.zeros(SMALL.image_size[0] * SMALL.image_size[1], np.uint8)
        numbers = [int(word) for word in row["rle_mask"].split()]
        for start, length in zip(numbers[::2], numbers[1::2], strict=True):
            flat[start - 1 : start - 1 + length] = 1
        pixels[row["img"]] = flat.reshape(SMALL.image_size)
    return folder, pixels


def graded(folder, answer):
    truth = read_truth(folder / "solution.csv", SMALL)
    scored = {name: runs for part in truth.values() for name, runs in part.items()}
    return mean_dice(dice_by_image([answer], scored, SMALL.image_size).values())


def test_the_truth_scores_exactly_1(drawn, tmp_path):
    folder, pixels = drawn
    write_table(tmp_path / "a.csv", COLUMNS, ((name, rle.encode(mask)) for name, mask in pixels.items()))
    assert graded(folder, tmp_path / "a.csv") == 1


def test_nothing_scores_0_as_every_image_has_a_car(drawn, tmp_path):
    folder, pixels = drawn
    assert all(mask.any() for mask in pixels.values())
    write_table(tmp_path / "a.csv", COLUMNS, ((name, "") for name in pixels))
    assert graded(folder, tmp_path / "a.csv") == 0


def test_the_sample_submission_scores_its_first_pixel(drawn):
    folder, pixels = drawn
    assert {mask for _, mask in read_masks(folder / "sample_submission.csv")} == {"1 1"}
    known = [2 * int(mask[0, 0]) / (1 + int(mask.sum())) for mask in pixels.values()]
    assert graded(folder, folder / "sample_submission.csv") == math.fsum(known) / len(known)


def test_a_mask_shifted_by_a_pixel_scores_what_arithmetic_says(drawn, tmp_path):
    folder, pixels = drawn
    write_table(tmp_path / "a.csv", COLUMNS, ((name, rle.encode(shifted(mask))) for name, mask in pixels.items()))
    known = [dice_of_shifted(mask) for mask in pixels.values()]
    assert graded(folder, tmp_path / "a.csv") == math.fsum(known) / len(known)
    assert 0.9 < min(known) < max(known) < 1


def test_the_arithmetic_of_a_shift():
    block = np.zeros((8, 10), np.uint8)
    block[2:5, 3:7] = 1
    assert dice_of_shifted(block) == 3 / 4
    at_the_edge = np.zeros((8, 10), np.uint8)
    at_the_edge[2:5, 6:] = 1
    assert dice_of_shifted(at_the_edge) == 2 * 9 / (12 + 9)
    assert dice_of_shifted(at_the_edge) == dice(at_the_edge, shifted(at_the_edge))


def test_the_graders_checks_hold_on_masks_that_include_an_empty_one():
    masks = {"a": np.eye(6, 9, dtype=np.uint8), "b": np.zeros((6, 9), np.uint8), "c": np.ones((6, 9), np.uint8)}
    checks = check_grader(lambda: masks.items())
    assert [check.verdict for check in checks] == ["holds"] * 5
    moved, first = (1 + 2 * 48 / 102) / 3, (2 / 7 + 2 / 55) / 3
    assert [check.measured for check in checks] == ["1.0", str(1 / 3), str(moved), str(first), "1.0"]


def test_a_wrong_grader_is_noticed(monkeypatch):
    monkeypatch.setattr("carvana.metrics._dice", lambda common, total: common / max(total - common, 1))
    masks = {"a": np.pad(np.ones((3, 4), np.uint8), 2)}
    verdicts = [check.verdict for check in check_grader(lambda: masks.items())]
    assert verdicts == ["holds", "holds", "FAILS", "holds", "FAILS"]
