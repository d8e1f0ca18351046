from pathlib import Path

import pytest

from carvana.errors import UserError
from tests.planning.plans import plan


def test_the_full_data_is_held_to_the_published_facts():
    assert plan().competition.counts_arguments("test") == "--expected-cars 6254 --expected-images 100064"
    assert plan(data={"expect_published": False}).competition.counts_arguments("train") == ""


def test_what_is_drawn_is_told_by_name():
    drawn = plan(data={"source": "synthetic"}).competition.drawing_arguments()
    assert drawn == "--seed 2017 --train-cars 12 --test-cars 4"


def test_downloads_are_those_that_the_intake_reads():
    assert plan().competition.intake_receipts("train") == [
        "results/full/download/train_hq.json",
        "results/full/download/train_masks.json",
    ]
    assert len(plan().competition.all_receipts()) == 5
    own = plan(data={"source": "folder"})
    assert own.competition.intake_receipts("test") == []
    with pytest.raises(UserError, match=r"data\.source is folder, so there is nothing to download"):
        own.competition.all_receipts()


def test_a_users_own_folder_is_watched_for_changes_of_what_is_read(tmp_path):
    def listings():
        sources = ("kaggle", "folder", "synthetic")
        competitions = {
            source: plan(data={"source": source, "folder": str(tmp_path)}).competition for source in sources
        }
        found = {(source, "report"): one.listing(["metadata"]) for source, one in competitions.items()}
        for split in ("train", "test"):
            found |= {(source, split): one.intake_listing(split) for source, one in competitions.items()}
        return found

    def changed_by(change):
        before = listings()
        change()
        return [which for which, listing in listings().items() if listing != before[which]]

    assert changed_by((tmp_path / "train_hq.zip").touch) == [("folder", "train")]
    assert changed_by((tmp_path / "train_masks").mkdir) == [("folder", "train")]
    assert changed_by((tmp_path / "train_masks/a.gif").touch) == [("folder", "train")]
    assert changed_by((tmp_path / "sample_submission.csv").touch) == [("folder", "test")]
    assert changed_by((tmp_path / "metadata.csv").touch) == [("folder", "report")]
    for other in ("notes.txt", ".download", "results"):
        assert changed_by((tmp_path / other).mkdir) == []
    # A disk that is not mounted.
    assert changed_by(lambda: (tmp_path / "test_hq").symlink_to(tmp_path / "absent")) == []


def test_each_competition_has_a_folder_of_its_own():
    drawn = {"competition": "drawn-cars"}
    assert plan(data={"source": "kaggle"}).competition.folder == Path("data/carvana-image-masking-challenge")
    assert plan(data={"source": "kaggle"}, **drawn).competition.folder == Path("data/drawn-cars")
    assert plan(data={"source": "kaggle", "folder": "mine"}, **drawn).competition.folder == Path("mine")


def test_names_and_sizes_of_kaggles_files():
    assert plan().competition.remote_names("metadata") == "metadata.csv.zip metadata.csv"
    assert plan().competition.size_argument("train_masks") == "--published-mebibytes 29.1"
    assert plan().competition.size_argument("test_hq") == ""
    assert plan(data={"expect_published": False}).competition.size_argument("train_masks") == ""


def test_all_runs_and_editions_have_their_images_unpacked_once():
    assert plan().competition.images == plan(run="another", edition="presented").competition.images
