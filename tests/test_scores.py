import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from carvana import rle, scores
from carvana.data.manifest import ImageRecord, Manifest
from carvana.errors import UserError
from carvana.geometry import FULL, SMALL
from carvana.scores import NOT_AVAILABLE, Entry, parse_entry, score


def runs_by_name(**encoded):
    return {name: rle.runs(text) for name, text in encoded.items()}


TRAINING = runs_by_name(a="1 4", b="11 2", c="")
HIDDEN = {"Public": runs_by_name(p="1 2"), "Private": runs_by_name(q="1 2", r="5 5")}


def table(path, **rows):
    path.write_text(
        "".join(f"{line}\n" for line in ["img,rle_mask", *(f"{name},{text}" for name, text in rows.items())])
    )
    return path


@pytest.fixture
def tables(tmp_path):
    oof = (table(tmp_path / "o1.csv", c="", a="3 4"), table(tmp_path / "o2.csv", b="11 2"))
    test = (table(tmp_path / "t.csv", q="1 2", x="9 9", p="2 2", r="5 10"),)
    return oof, test


def test_scores_are_means_over_the_right_images(tables):
    row = score(Entry("model", "ternausnet", *tables), TRAINING, HIDDEN, FULL)
    assert row.out_of_fold == pytest.approx((0.5 + 1 + 1) / 3)
    assert row.public == pytest.approx(0.5)
    assert row.private == pytest.approx((1 + 10 / 15) / 2)
    assert (row.images, row.geometry) == (3, "full")
    assert row.note == "each network was selected on its fold: out_of_fold is optimistic"


def test_without_a_hidden_truth_test_scores_are_not_available(tables):
    row = score(Entry("member", "albu", *tables), TRAINING, None, FULL)
    assert (row.public, row.private) == (None, None)
    assert row.out_of_fold is not None


def test_without_tables_nothing_is_scored():
    row = score(Entry("ensemble", "ensemble", (), ()), TRAINING, HIDDEN, FULL)
    assert (row.out_of_fold, row.public, row.private, row.images, row.note) == (None, None, None, 0, "")


def test_notes_say_what_the_numbers_are(tables):
    entry = Entry("recipe", "linknet34", tables[0], tables[1], ("encoder from random weights",))
    assert score(entry, TRAINING, HIDDEN, SMALL).note.split("; ") == [
        "encoder from random weights",
        "each network was selected on its fold: out_of_fold is optimistic",
        "small geometry: cannot be submitted",
    ]
    assert score(Entry("baseline", "mean", tables[0], tables[1]), TRAINING, HIDDEN, FULL).note == ""


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"a": "1 4", "b": "11 2"}, r"1 images to score have no mask \(c\)"),
        ({"a": "1", "b": "11 2", "c": ""}, "a: the RLE has 1 numbers"),
    ],
)
def test_tables_that_cannot_be_scored_are_refused(tmp_path, rows, message):
    with pytest.raises(UserError, match=message):
        scores.dice_by_image([table(tmp_path / "o.csv", **rows)], TRAINING)


def test_a_strangers_mask_must_fit_the_image(tmp_path):
    file = table(tmp_path / "o.csv", a="1 4", b="11 2", c="")
    assert scores.dice_by_image([file], TRAINING, (3, 4))["b"] == 1
    with pytest.raises(UserError, match="b: the RLE goes past the last"):
        scores.dice_by_image([file], TRAINING, (1, 11))


def test_a_table_given_twice_is_found(tables):
    with pytest.raises(UserError, match="second mask"):
        scores.dice_by_image([*tables[0], tables[0][0]], TRAINING)


def test_entries_are_parsed():
    assert parse_entry(["model", "m", "a.csv,b.csv", "-", "one note", "two"]) == Entry(
        "model", "m", (Path("a.csv"), Path("b.csv")), (), ("one note", "two")
    )
    for words in (["model", "m", "-"], ["network", "m", "-", "-"]):
        with pytest.raises(UserError, match="not an entry"):
            parse_entry(words)


def test_training_truth_reads_the_masks(tmp_path):
    mask = np.zeros((4, 6), np.uint8)
    mask[1, 2:5] = 1
    Image.fromarray(mask * 255).save(tmp_path / "m.png")
    record = ImageRecord("a_01.jpg", "a", 1, 1, 6, 4, "", "a.jpg", str(tmp_path / "m.png"), "", 3)
    np.testing.assert_array_equal(scores.training_truth(Manifest((record,)))["a_01.jpg"], [[9, 12]])


def test_hidden_truth_is_split_by_usage(tmp_path):
    path = tmp_path / "solution.csv"
    path.write_text("img,rle_mask,usage\np,1 2,Public\nq,,Private\nx,3 3,Ignored\n")
    truth = scores.hidden_truth(path, SMALL)
    assert {usage: list(images) for usage, images in truth.items()} == {"Public": ["p"], "Private": ["q"]}
    np.testing.assert_array_equal(truth["Public"]["p"], [[1, 3]])
    assert len(truth["Private"]["q"]) == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("img,rle_mask\np,1 2\n", "'usage' is not in"),
        ("img,rle_mask,usage\np,1 2,public\n", "line 2: the usage 'public'; there are Public, Private, Ignored"),
        ("img,rle_mask,usage\np,1,Public\n", "p: the RLE has 1 numbers"),
        ("img,rle_mask,usage\nq,1 2,Public\np,1 2\n", "line 3: 2 values, expected 3"),
        ("img,rle_mask,usage\np,1 2,Public\np,1 2,Private\n", "line 3: p comes a second time"),
    ],
)
def test_a_broken_hidden_truth_is_refused(tmp_path, text, reason):
    (tmp_path / "solution.csv").write_text(text)
    with pytest.raises(UserError, match=f"not a hidden truth .{reason}"):
        scores.hidden_truth(tmp_path / "solution.csv", SMALL)
    with pytest.raises(UserError, match="hidden truth, or none"):
        scores.hidden_truth(tmp_path / "absent.csv", SMALL)
    with pytest.raises(UserError, match="is a folder; name a table of masks"):
        scores.hidden_truth(tmp_path, SMALL)


def test_files_and_table_show_every_row(tmp_path, tables):
    rows = [
        score(Entry("model", "ternausnet", *tables), TRAINING, HIDDEN, SMALL),
        score(Entry("ensemble", "ensemble", tables[0], ()), TRAINING, None, SMALL),
    ]
    scores.write_scores(rows, tmp_path / "scores.json", tmp_path / "scores.csv")
    stored = json.loads((tmp_path / "scores.json").read_text())
    with (tmp_path / "scores.csv").open(newline="") as stream:
        listed = list(csv.DictReader(stream))
    for values in (stored, listed):
        assert [list(row) for row in values] == [list(scores.COLUMNS)] * 2
        assert [row["name"] for row in values] == ["ternausnet", "ensemble"]
        assert float(values[0]["out_of_fold"]) == rows[0].out_of_fold
        assert values[1]["public"] == NOT_AVAILABLE
    assert scores.read_scores(tmp_path / "scores.json") == rows
    lines = scores.format_table(rows).splitlines()
    assert lines[0].split() == ["level", "name", "out_of_fold", "public", "private", "images", "notes"]
    assert lines[1].split() == ["model", "ternausnet", "0.833333", "0.500000", "0.833333", "3", "[1]", "[2]"]
    assert lines[2].split() == ["ensemble", "ensemble", "0.833333", *NOT_AVAILABLE.split() * 2, "3", "[1]", "[2]"]
    assert lines[3:] == [
        "[1] each network was selected on its fold: out_of_fold is optimistic",
        "[2] small geometry: cannot be submitted",
    ]


@pytest.mark.parametrize("text", ["", "{}x", "[1]", '[{"level": "model"}]'])
def test_damaged_scores_are_refused(tmp_path, text):
    (tmp_path / "scores.json").write_text(text)
    with pytest.raises(UserError, match="`snakemake score` again"):
        scores.read_scores(tmp_path / "scores.json")


def test_a_partial_entry_is_scored_on_the_images_that_it_has_and_says_so(tables):
    some = ("model", "ternausnet", str(tables[0][0]), "-", "ternausnet: 1 of 5 networks (fold 0)")
    with pytest.raises(UserError, match="1 images to score have no mask"):
        score(parse_entry(some), TRAINING, HIDDEN, FULL)
    row = score(parse_entry(some, partial=True), TRAINING, HIDDEN, FULL)
    assert row.out_of_fold == pytest.approx((0.5 + 1) / 2)
    assert row.images == 2
    assert row.note.startswith("ternausnet: 1 of 5 networks (fold 0); ")
    assert "a network which did not see their car, see images" in row.note
