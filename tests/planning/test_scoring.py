import shlex

import pytest

from tests.planning.plans import plan

SMALL = {"folds": 2, "shards": 2, "data": {"source": "synthetic", "expect_published": False}}


def test_the_score_table_has_every_row():
    rows = plan(**SMALL).scoring.rows()
    assert [sum(row.level == level for row in rows) for level in ("baseline", "model", "recipe", "member")] == [
        2,
        9,
        4,
        4,
    ]
    assert rows[-1].name == "ensemble"
    assert {row.parts for row in rows} == {("train", "test"), ("train", "test-01-of-02", "test-02-of-02")}


def test_test_images_are_scored_only_where_their_truth_is_known():
    assert all(row.parts == ("train",) for row in plan().scoring.rows())
    assert "--solution" not in plan().scoring.arguments()
    assert plan(**SMALL).scoring.arguments().endswith("--solution results/full/competition/solution.csv")


# unet_scratch, three rows, begins at random by design.
@pytest.mark.parametrize(("source", "noted"), [("random", 9 + 4 + 4 + 1 - 3), ("imagenet", 0)])
def test_random_encoders_are_said_in_the_table(source, noted):
    arguments = plan(encoder_weights={"source": source}).scoring.arguments()
    assert arguments.count("'encoder from random weights'") == noted


def test_a_shortened_training_is_said_in_the_table():
    assert plan().notes.of_scores(["ternausnet", "linknet34_fma_s44", "unet_vgg11"]) == []
    epochs = {**plan().config["epochs"], "linknet34": 7, "unet_vgg11": 60}
    steps = {**plan().config["images_per_step"], "linknet34": 2, "ternausnet": 4}
    notes = plan(epochs=epochs, images_per_step=steps).notes.of_scores
    assert notes(["linknet34_fma_s44", "linknet34_f04a_clahe", "ternausnet", "unet_vgg11"]) == [
        "linknet34: 7 of 40 epochs",
        "linknet34: a step for every 2 of 4 images",
    ]
    assert notes(["ternausnet"]) == []


def test_options_keep_paths_with_blanks_together():
    spaced = plan(encoder_weights={"source": "folder", "folder": "my weights"}, results="my results")
    assert spaced.encoders.argument("ternausnet") == "--encoder-weights 'my weights/vgg11-bbd30ac9.pth'"
    (entry,) = [words for words in spaced.scoring.arguments().split(" --entry ") if words.startswith("ensemble")]
    assert shlex.split(entry)[2] == "my results/full/masks/ensemble/train.csv"
