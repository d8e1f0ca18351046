from pathlib import Path

import pytest

from carvana.errors import UserError
from carvana.geometry import FULL, SMALL
from carvana.grading.scores import ScoreEntry, parse_entry, score
from tests.grading.tables import HIDDEN, TRAINING


def test_scores_are_means_over_the_right_images(tables):
    row = score(ScoreEntry("model", "ternausnet", *tables), TRAINING, HIDDEN, FULL)
    assert row.out_of_fold == pytest.approx((0.5 + 1 + 1) / 3)
    assert row.public == pytest.approx(0.5)
    assert row.private == pytest.approx((1 + 10 / 15) / 2)
    assert (row.images, row.geometry) == (3, "full")
    assert row.note == "each network was selected on its fold: out_of_fold is optimistic"


def test_without_a_hidden_truth_test_scores_are_not_available(tables):
    row = score(ScoreEntry("member", "albu", *tables), TRAINING, None, FULL)
    assert (row.public, row.private) == (None, None)
    assert row.out_of_fold is not None


def test_without_tables_nothing_is_scored():
    row = score(ScoreEntry("ensemble", "ensemble", (), ()), TRAINING, HIDDEN, FULL)
    assert (row.out_of_fold, row.public, row.private, row.images, row.note) == (None, None, None, 0, "")


def test_notes_say_what_the_numbers_are(tables):
    entry = ScoreEntry("recipe", "linknet34", tables[0], tables[1], ("encoder from random weights",))
    assert score(entry, TRAINING, HIDDEN, SMALL).note.split("; ") == [
        "encoder from random weights",
        "each network was selected on its fold: out_of_fold is optimistic",
        "small geometry: cannot be submitted",
    ]
    assert score(ScoreEntry("baseline", "mean", tables[0], tables[1]), TRAINING, HIDDEN, FULL).note == ""


def test_entries_are_parsed():
    assert parse_entry(["model", "m", "a.csv,b.csv", "-", "one note", "two"]) == ScoreEntry(
        "model", "m", (Path("a.csv"), Path("b.csv")), (), ("one note", "two")
    )
    for words in (["model", "m", "-"], ["network", "m", "-", "-"]):
        with pytest.raises(UserError, match="not an entry"):
            parse_entry(words)


def test_a_partial_entry_is_scored_on_the_images_that_it_has_and_says_so(tables):
    some = ("model", "ternausnet", str(tables[0][0]), "-", "ternausnet: 1 of 5 networks (fold 0)")
    with pytest.raises(UserError, match="1 images to score have no mask"):
        score(parse_entry(some), TRAINING, HIDDEN, FULL)
    row = score(parse_entry(some, partial=True), TRAINING, HIDDEN, FULL)
    assert row.out_of_fold == pytest.approx((0.5 + 1) / 2)
    assert row.images == 2
    assert row.note.startswith("ternausnet: 1 of 5 networks (fold 0); ")
    assert "only images with a network that did not see their car, see images" in row.note
