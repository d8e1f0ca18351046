"""The planned jobs of the presented edition, for every kind of target; nothing is computed and no data is there."""

import pytest

from tests.workflow.test_plan import FULL, counted, given_maps, plan, planned, snakemake

PRESENTED = ("--config", "edition=presented")
ENSEMBLE = (*PRESENTED, 'pseudo_labels={"teacher": "ensemble"}')
# The first round's scores and maps, the teachers' masks of 5 x 16 shards, and a second round of 5 networks.
SECOND_ROUND = {
    **FULL,
    "train": 49 + 5,
    "validate": 10,
    "model_masks": 7,
    "precondition": 1,
    "teach": 5 * 16,
    "pseudo_labels": 5,
}
TERNAUS = {
    "download_file": 4,
    "intake": 2,
    "folds": 1,
    "encoder_weights": 1,
    "train": 10,
    "validate": 1,
    "model_masks": 1,
    "precondition": 1,
    "teach": 80,
    "pseudo_labels": 5,
    "predict": 16,
    "merge": 16,
    "write_submission": 1,
}


def test_the_full_reproduction(tmp_path):
    assert planned(tmp_path, *PRESENTED) == SECOND_ROUND


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edition", "file"),
    [
        ("released", "full/pseudo_labels/fold0/manifest.csv"),
        # Only the first round's maps are merged for the teacher; other recipes' are those of the run.
        ("presented", "full-presented/pseudo_labels/ensemble/linknet34/train.h5"),
    ],
)
def test_pseudo_labels_that_nobody_is_trained_on_are_not_known(edition, file, tmp_path):
    run = snakemake(f"{tmp_path}/{file}", "--config", f"results={tmp_path}", f"edition={edition}", check=False)
    assert run.returncode != 0
    assert f"No rule to produce {tmp_path}/{file}" in run.stdout + run.stderr


@pytest.mark.slow
def test_the_ensemble_as_teacher(tmp_path):
    expected = {
        **SECOND_ROUND,
        "predict": 10 * 16,
        "pseudo_labels": 1,
        "merge_first_round": 17,
        "teach_by_ensemble": 17,
    }
    expected.pop("teach")
    output = plan(tmp_path, "--printshellcmds", *ENSEMBLE)
    assert counted(output) == expected
    run = tmp_path / "full-presented"
    # The teacher's ternausnet is that of the first round.
    assert given_maps(output, run / "pseudo_labels/ensemble/masks/train.csv") == {
        "ternausnet": f"{run}/pseudo_labels/ensemble/ternausnet/train.h5",
        "linknet34": f"{run}/maps/linknet34/train.h5",
        "unet-scratch": f"{run}/maps/unet_scratch/train.h5",
        "unet-vgg11": f"{run}/maps/unet_vgg11/train.h5",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "jobs"),
    [
        ("ternaus", TERNAUS | {"ternaus": 1}),
        ("ternausnet_pseudo", TERNAUS | {"ternausnet_pseudo": 1}),
        (
            "ternausnet",
            {
                "download_file": 4, "intake": 2, "folds": 1, "encoder_weights": 1, "train": 5, "predict": 16,
                "model_masks": 16, "write_submission": 1, "ternausnet": 1,
            },
        ),
        ("encoder_curves", {
            "download_file": 2, "intake": 1, "folds": 2, "encoder_weights": 2, "train": 2, "train_from_random": 2,
            "encoder_curves": 1,
        }),
        ("download", {"download_file": 5, "download": 1}),
    ],
)  # fmt: skip
def test_targets(target, jobs, tmp_path):
    assert planned(tmp_path, target, *PRESENTED) == jobs


@pytest.mark.slow
@pytest.mark.parametrize("target", ["albu", "asanakoy", "linknet34_f04a_clahe", "unet_scratch"])
def test_members_without_pseudo_labels_have_the_jobs_of_the_released_edition(target, tmp_path):
    assert planned(tmp_path, target, *PRESENTED) == planned(tmp_path, target)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["score", "verify", "report", "weights"])
def test_what_is_about_the_whole_run_has_54_networks(target, tmp_path):
    assert planned(tmp_path, target, *PRESENTED)["train"] == 54
    assert planned(tmp_path, target)["train"] == 49


@pytest.mark.slow
def test_leaderboard(tmp_path):
    config = (*PRESENTED, 'leaderboard=["ternaus"]')
    assert planned(tmp_path, "leaderboard", *config) == TERNAUS | {"submit": 1, "leaderboard": 1, "download_file": 4}


@pytest.mark.slow
@pytest.mark.parametrize("overlay", ["config/sample.yaml", "config/tiny.yaml"])
def test_small_runs(overlay, tmp_path):
    jobs = planned(tmp_path, "--configfile", overlay, *PRESENTED)
    assert (jobs["train"], jobs["teach"], jobs["pseudo_labels"], jobs["predict"]) == (20, 2, 2, 10)


@pytest.mark.slow
def test_the_editions_lie_side_by_side(tmp_path):
    output = snakemake("ternaus", *PRESENTED, f"results={tmp_path}").stdout
    assert f"{tmp_path}/full-presented/submissions/ternaus.csv.gz" in output
    assert f"{tmp_path}/full/" not in output


@pytest.mark.slow
def test_imported_models_are_not_trained(tmp_path):
    folder = tmp_path / "weights"
    for fold in range(5):
        (folder / "ternausnet").mkdir(parents=True, exist_ok=True)
        (folder / f"ternausnet/fold{fold}.safetensors").touch()
    config = ("--config", "weights={'ternausnet': 'released'}", f"released={{'folder': '{folder}'}}")
    jobs = planned(tmp_path, "ternaus", *config)
    assert jobs == {
        "download_file": 2, "intake": 1, "import_weights": 5, "predict": 16, "merge": 16, "write_submission": 1,
        "ternaus": 1,
    }  # fmt: skip
    assert planned(tmp_path, *config)["train"] == 44
    # The first round imported, the second trained here.
    jobs = planned(tmp_path, "ternaus", *config, "edition=presented")
    assert (jobs["import_weights"], jobs["train"]) == (5, 5)


@pytest.mark.slow
def test_the_published_checkpoint_is_fetched(tmp_path):
    one = f"released={{'folder': '{tmp_path}/none', 'folds': {{'ternausnet': [0]}}}}"
    jobs = planned(tmp_path, "ternaus", "--config", "weights={'ternausnet': 'released'}", one)
    assert (jobs["fetch_checkpoint"], jobs["import_weights"], jobs["predict"]) == (1, 1, 16)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (("edition=slides",), "edition: 'slides' is not one of ['released', 'presented']"),
        (("weights=borrowed",), "weights: 'borrowed' is not one of ['trained', 'released']"),
        (("weights={'ternausnet': 'mine'}",), "weights.ternausnet: 'mine' is not one of ['trained', 'released']"),
        (("weights={'resnet': 'released'}",), "weights: no model resnet in the released edition; the models are"),
        (
            ("weights={'ternausnet': 'released'}", "released={'folds': {'ternausnet': [0, '00']}}"),
            "released.folds.ternausnet: a fold is named twice; name each once",
        ),
        (("weights={1: 'released', 'x': 'released'}",), "weights: no model 1 in the released edition; the models are"),
        (
            ("edition=presented", "pseudo_labels={'teacher': 'ensemble'}", "members=['ternaus']"),
            "pseudo_labels.teacher: the ensemble can teach only where all members are there",
        ),
        (
            ("edition=presented", "weights={'ternausnet': 'released'}", "released={'folds': {'ternausnet': [0]}}"),
            "released.folds.ternausnet: ternausnet_pseudo is trained on what each fold's network",
        ),
        (
            ("weights=released",),
            "weights of ternausnet are to be imported, but there is neither data/weights/ternausnet",
        ),
    ],
)
def test_a_wrong_configuration_is_told_in_one_message(config, told):
    run = snakemake("--config", *config, check=False)
    assert run.returncode != 0
    message = run.stdout + run.stderr
    assert told in message
    # Where a file is missed, Snakemake adds the places in the rules.
    assert "Traceback (most recent call last)" not in message
