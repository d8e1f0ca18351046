import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from carvana.config import laid_over
from carvana.data.manifest import Manifest, write_manifest
from carvana.digits import Digits, write_digits
from carvana.errors import UserError
from carvana.expectations import Expectations
from carvana.plan import Plan
from carvana.recipe import model_names
from carvana.reporting import Reporting
from carvana.scoring import Scoring

ROOT = Path(__file__).resolve().parents[1]


def plan(**changes) -> Plan:
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    return Plan(laid_over(config, changes), ROOT)


SMALL = {"folds": 2, "shards": 2, "data": {"source": "synthetic", "expect_published": False}}


def test_the_authors_folds_unless_told_otherwise():
    assert [plan().number_of_folds(scheme) for scheme in ("f04a", "fma", "random7", "area7")] == [5, 5, 7, 7]
    assert plan(folds=3).number_of_folds("area7") == 3
    assert plan().weights("ternausnet")[4] == "results/full/models/ternausnet/fold4/weights.safetensors"


def test_weights_of_a_model_whose_member_is_left_out_are_refused():
    with pytest.raises(UserError, match=r"^unet_vgg11 is asanakoy's, who is left out of `members`"):
        plan(members=["ternaus"]).weights("unet_vgg11")


def test_the_full_data_is_held_to_the_published_facts():
    assert plan().expected_counts("test") == "--expected-cars 6254 --expected-images 100064"
    assert plan().expected_digest("f04a").startswith("--expected-digest 0acd14f1")
    # Other folds than the authors' have no published digest.
    assert plan(folds=2).expected_digest("f04a") == ""
    assert plan(data={"expect_published": False}).expected_counts("train") == ""


def test_shards_are_named_by_number_and_count():
    assert plan(shards=2).test_parts == ("test-01-of-02", "test-02-of-02")
    assert plan(shards=2).sums("unet_vgg11", "test-01-of-02") == "results/full/predictions/unet_vgg11/test-01-of-02.h5"
    assert plan().sums("unet_vgg11", "train") == "results/full/oof/unet_vgg11/maps.h5"


def test_an_encoder_is_needed_unless_it_begins_at_random_or_is_none():
    assert plan().encoder_receipt("ternausnet") == ["results/full/encoders/vgg11.json"]
    assert plan().encoder_argument("ternausnet") == "--encoder-weights results/encoders/vgg11-bbd30ac9.pth"
    assert plan().encoder_receipt("unet_scratch") == []
    random = plan(encoder_weights={"source": "random"})
    assert (random.encoder_receipt("ternausnet"), random.encoder_argument("ternausnet")) == ([], "")


def test_downloads_are_those_that_the_intake_reads():
    assert plan().intake_receipts("train") == [
        "results/full/download/train_hq.json",
        "results/full/download/train_masks.json",
    ]
    assert len(plan().all_receipts()) == 5
    own = plan(data={"source": "folder"})
    assert own.intake_receipts("test") == []
    with pytest.raises(UserError, match=r"data\.source is folder, so there is nothing to download"):
        own.all_receipts()


def test_only_a_users_own_folder_is_watched_for_changes(tmp_path):
    def listing(source):
        return plan(data={"source": source, "folder": str(tmp_path)}).data_listing

    before = {source: listing(source) for source in ("kaggle", "folder", "synthetic")}
    (tmp_path / "train_hq.zip").touch()
    after = {source: listing(source) for source in ("kaggle", "folder", "synthetic")}
    assert [source for source in before if before[source] != after[source]] == ["folder"]
    # What a download keeps beside the files is no change.
    (tmp_path / ".download").mkdir()
    assert listing("folder") == after["folder"]


def test_each_competition_has_a_folder_of_its_own():
    drawn = {"competition": "drawn-cars"}
    assert plan(data={"source": "kaggle"}).data == Path("data/carvana-image-masking-challenge")
    assert plan(data={"source": "kaggle"}, **drawn).data == Path("data/drawn-cars")
    assert plan(data={"source": "kaggle", "folder": "mine"}, **drawn).data == Path("mine")


def test_names_and_sizes_of_kaggles_files():
    assert plan().remote_names("metadata") == "metadata.csv.zip metadata.csv"
    assert plan().published_size("train_masks") == "--published-mebibytes 29.1"
    assert plan().published_size("test_hq") == ""
    assert plan(data={"expect_published": False}).published_size("train_masks") == ""


def test_two_random_beginnings_are_not_compared():
    assert plan().imagenet_histories(["ternausnet"]) == ["results/full/models/ternausnet/fold0/history.csv"]
    with pytest.raises(UserError, match="nothing to compare"):
        plan(encoder_weights={"source": "random"}).imagenet_histories(["ternausnet"])


def test_a_users_encoder_files_are_not_downloaded():
    own = plan(encoder_weights={"source": "folder", "folder": "/mine"})
    assert own.encoder_file("vgg11") == Path("/mine/vgg11-bbd30ac9.pth")
    assert own.encoder_origin("vgg11") == ""
    assert plan().encoder_origin("vgg11").endswith("/models/vgg11-bbd30ac9.pth")


def test_a_members_submission_holds_his_recipes_masks():
    assert plan(shards=1).masks_of("albu") == ["results/full/masks/linknet34/test-01-of-01.csv"]
    assert plan(shards=1).masks_of("linknet34_fma_s44") == ["results/full/masks/linknet34_fma_s44/test-01-of-01.csv"]
    assert plan().submissions("asanakoy") == [
        "results/full/submissions/asanakoy_scratch.csv.gz",
        "results/full/submissions/asanakoy_vgg11.csv.gz",
    ]


def test_the_ensemble_needs_all_members():
    assert plan().wanted_submissions()[-1] == "results/full/submissions/ensemble.csv.gz"
    two = plan(members=["ternaus", "albu"])
    assert not any("ensemble" in path for path in two.wanted_submissions() + Scoring(two).masks())


def test_the_score_table_has_every_row():
    rows = Scoring(plan(**SMALL)).rows()
    assert [sum(row.level == level for row in rows) for level in ("baseline", "model", "recipe", "member")] == [
        2,
        9,
        4,
        4,
    ]
    assert rows[-1].name == "ensemble"
    assert {row.parts for row in rows} == {("train", "test"), ("train", "test-01-of-02", "test-02-of-02")}


def test_test_images_are_scored_only_where_their_truth_is_known():
    assert all(row.parts == ("train",) for row in Scoring(plan()).rows())
    assert "--solution" not in Scoring(plan()).arguments()
    assert Scoring(plan(**SMALL)).arguments().endswith("--solution results/full/competition/solution.csv")


# unet_scratch, three rows, begins at random by design.
@pytest.mark.parametrize(("source", "noted"), [("random", 9 + 4 + 4 + 1 - 3), ("imagenet", 0)])
def test_random_encoders_are_said_in_the_table(source, noted):
    arguments = Scoring(plan(encoder_weights={"source": source})).arguments()
    assert arguments.count("'encoder from random weights'") == noted


def test_a_shortened_training_is_said_in_the_table():
    assert Scoring(plan()).notes(["ternausnet", "linknet34_fma_s44", "unet_vgg11"]) == []
    epochs = {**plan().config["epochs"], "linknet34": 7, "unet_vgg11": 60}
    steps = {**plan().config["images_per_step"], "linknet34": 2, "ternausnet": 4}
    notes = Scoring(plan(epochs=epochs, images_per_step=steps)).notes
    assert notes(["linknet34_fma_s44", "linknet34_f04a_clahe", "ternausnet", "unet_vgg11"]) == [
        "linknet34: 7 of 40 epochs",
        "linknet34: a step for every 2 of 4 images",
    ]
    assert notes(["ternausnet"]) == []


def with_bands(tmp_path: Path, **configuration) -> Path:
    """A root whose bands were measured with this configuration."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    document = {"conditions": {"configuration": {"precision": "bf16", **configuration}}, "bands": {}}
    (tmp_path / "config/sample_bands.yaml").write_text(yaml.safe_dump(document))
    return tmp_path


def test_bands_hold_for_the_configuration_that_they_were_measured_with(tmp_path):
    root = with_bands(tmp_path, folds=2, data={"source": "synthetic"})
    same = {"folds": 2, "data": {"source": "synthetic"}}
    run = Plan(plan(**same, seed=7, precision="bf16").config, root)
    assert Expectations(run).bands() == "config/sample_bands.yaml"
    assert Expectations(run).arguments().endswith("--bands config/sample_bands.yaml")
    assert Expectations(Plan(plan(**same).config, root)).arguments().endswith("' (they: bf16, this run: exact)'")
    assert Expectations(Plan(plan(**{**same, "folds": 3}).config, root)).bands() == ""
    assert Expectations(Plan(plan(folds=2).config, root)).bands() == ""
    smaller = {**plan().config["images_per_step"], "linknet34": 2}
    assert Expectations(Plan(plan(**same, images_per_step=smaller).config, root)).bands() == ""
    (root / "config/sample_bands.yaml").unlink()
    assert Expectations(run).bands() == ""


def test_a_run_is_verified_against_the_published_folds_and_all_networks():
    words = Expectations(plan()).arguments().split()
    assert words.count("--scheme") == 4
    assert sum(word.endswith(".safetensors") for word in words) == 49
    digests = list(plan().published["fold_digests"].values())
    assert sum(word in digests for word in words) == 4
    assert not any(digest in Expectations(plan(folds=2)).arguments() for digest in digests)


def test_kaggles_answer_is_looked_at_where_there_is_one(tmp_path):
    run = plan(results=str(tmp_path))
    assert (Reporting(run).leaderboard_result(), Reporting(run).leaderboard_digest()) == ("", "")
    run.results.mkdir()
    (run.results / "leaderboard.json").write_text("[]")
    assert Reporting(run).leaderboard_result() == f"--leaderboard {tmp_path}/full/leaderboard.json"
    assert len(Reporting(run).leaderboard_digest()) == 16


def test_nothing_is_submitted_unless_asked_for():
    with pytest.raises(UserError, match="nothing is sent to Kaggle unless you ask"):
        plan().leaderboard_submissions()
    asked = plan(leaderboard=["ensemble", "albu"])
    assert asked.leaderboard_submissions() == [
        "results/full/submissions/ensemble.csv.gz",
        "results/full/submissions/albu.csv.gz",
    ]
    assert asked.leaderboard_arguments() == (
        "--submission ensemble results/full/submissions/ensemble.csv.gz"
        " --submission albu results/full/submissions/albu.csv.gz"
    )


def test_a_small_run_cannot_be_submitted_to_kaggles_competition():
    small = {"geometry": "small", "leaderboard": ["ensemble"]}
    with pytest.raises(UserError, match="its masks are not of the size that carvana-image-masking-challenge scores"):
        plan(**small).leaderboard_submissions()
    assert plan(**small, competition="drawn-cars").leaderboard_submissions()


def test_the_ledger_outlives_a_run():
    assert plan().ledger == plan(run="another").ledger == Path("results/submitted")


def test_a_report_is_about_the_ensemble():
    assert Reporting(plan()).needs_all_members(None) == []
    assert Reporting(plan()).model_arguments().startswith("--model ternausnet 0,1,2,3,4 ")
    with pytest.raises(UserError, match=r"members must be \[ternaus, albu, asanakoy\]"):
        Reporting(plan(members=["albu"])).needs_all_members(None)


def test_an_exclusion_list_is_an_input_of_training():
    assert plan().exclusions() == []
    assert plan(data={"exclude": "mask_audit.csv"}).exclusions() == ["mask_audit.csv"]


def test_what_a_run_makes_from_its_images_cannot_exclude_any_of_them():
    with pytest.raises(UserError, match=r"^data.exclude is results/full/mask_audit.csv, which .*name the copy"):
        plan(data={"exclude": "results/full/mask_audit.csv"}).exclusions()


def test_options_keep_paths_with_blanks_together():
    spaced = plan(encoder_weights={"source": "folder", "folder": "my weights"}, results="my results")
    assert spaced.encoder_argument("ternausnet") == "--encoder-weights 'my weights/vgg11-bbd30ac9.pth'"
    (entry,) = [words for words in Scoring(spaced).arguments().split(" --entry ") if words.startswith("ensemble")]
    assert shlex.split(entry)[2] == "my results/full/masks/ensemble/train.csv"


def test_what_a_second_round_waits_for_comes_before_all_other_trainings():
    presented = plan(edition="presented")
    order = sorted(model_names(edition="presented"), key=presented.training_priority, reverse=True)
    assert set(order[:2]) == {"ternausnet", "ternausnet_pseudo"}
    assert [presented.chain_priority(model) > 0 for model in order] == [True] * 2 + [False] * (len(order) - 2)
    assert not any(plan().chain_priority(model) for model in model_names())


def test_digits_hold_for_the_same_configuration_precision_and_seed(tmp_path):
    root = with_bands(tmp_path)
    same = {"folds": 2, "precision": "bf16", "data": {"source": "synthetic"}}
    write_digits(Digits("a cpu", "torch=1", same, {"training_loss/a": 1.0}), root / "config/sample_digits.yaml")
    assert Expectations(Plan(plan(**same).config, root)).digits() == "config/sample_digits.yaml"
    assert Expectations(Plan(plan(**same).config, root)).arguments().endswith("--digits config/sample_digits.yaml")
    for other in ({"precision": "exact"}, {"seed": 7}, {"folds": 3}, {"threads": 7}):
        assert Expectations(Plan(plan(**{**same, **other}).config, root)).digits() == ""
    (root / "config/sample_digits.yaml").unlink()
    assert Expectations(Plan(plan(**same).config, root)).digits() == ""


def test_the_samples_bands_are_of_the_sample():
    sample = yaml.safe_load((ROOT / "config/sample.yaml").read_text())
    assert Expectations(plan(**sample)).bands() == "config/sample_bands.yaml"


def test_snakemakes_cache_is_told_what_it_leaves_out(manifest, tmp_path):
    """The collisions that were measured: wildcards, inputs' order and names, threads, resources, two data folders."""
    from dataclasses import replace

    write_manifest(manifest, tmp_path / "one.csv")
    moved = [replace(record, file="elsewhere", mask="elsewhere") for record in manifest]
    write_manifest(Manifest(tuple(moved)), tmp_path / "moved.csv")
    other = [replace(moved[0], sha256="another"), *moved[1:]]
    write_manifest(Manifest(tuple(other)), tmp_path / "other.csv")
    (tmp_path / "folds.csv").write_text("car,fold\na,0\n")

    def key(model="m", fold="0", manifest="one", weights=("x/a", "x/b"), folds=None, threads=1, gpus=0):
        files = [("manifest", str(tmp_path / f"{manifest}.csv")), ("weights", list(weights))]
        files += [("folds", str(tmp_path / folds))] if folds else []
        return plan().cache_key([("model", model), ("fold", fold)], files, threads, gpus)

    keys = [key(), key(model="n"), key(fold="1"), key(manifest="other"), key(weights=("x/b", "x/a"))]
    keys += [key(threads=2), key(gpus=1)]
    assert len({*keys, key(folds="folds.csv")}) == len(keys) + 1
    # Where the same images lie makes no difference.
    assert key(manifest="moved") == key()
    assert key(gpus=1, threads=8) == key(gpus=1)
    with pytest.raises(FileNotFoundError):
        key(manifest="absent")


def test_the_store_follows_the_results_unless_it_is_named():
    assert str(plan(results="there").store) == "there/store"
    assert str(plan(store="/shared").store) == "/shared"


def test_a_small_run_has_fewer_epochs_and_more_steps():
    assert plan().overrides("linknet34_fma_s44") == ""
    small = plan(epochs={**plan().config["epochs"], "linknet34": 7})
    assert small.overrides("linknet34_fma_s44") == "--epochs 7"
    small = plan(images_per_step={**plan().config["images_per_step"], "linknet34": 2})
    assert small.overrides("linknet34_fma_s44") == "--images-per-step 2"
    assert small.overrides("ternausnet") == ""


def test_a_gpu_is_deterministic_unless_the_configuration_says_otherwise():
    assert plan().autotune == ""
    assert plan(deterministic=False).autotune == "--autotune"


def test_what_saves_memory_is_asked_of_the_trainings_that_it_is_for():
    given = plan(
        activation_checkpointing={"linknet34": True},
        gpus_per_training={"ternausnet": 2},
        gpu_memory={"linknet34": 11, "unet_scratch": 8},
    )
    asked = {model: (given.gpus(model), given.memory_arguments(model)) for model in given.models}
    assert asked["ternausnet"] == (2, "")
    assert asked["linknet34_fma_s44"] == (1, "--gpu-memory 11 --activation-checkpointing")
    assert asked["unet_scratch"] == (1, "--gpu-memory 8")
    assert asked["unet_vgg11"] == (1, "")
    presented = plan(edition="presented", gpus_per_training={"ternausnet": 2})
    assert presented.gpus("ternausnet_pseudo") == 2
