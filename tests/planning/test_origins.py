from pathlib import Path

import pytest

from carvana.errors import UserError
from carvana.released.index import Index, write_index
from tests.planning.plans import plan


def imported(folder, **changes):
    return plan(weights={"ternausnet": "released"}, released={"folder": str(folder)}, **changes)


def put(folder: Path, name: str):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_all_models_or_some():
    run = plan(weights="released")
    assert run.origins.trained == ()
    some = plan(weights={"unet_scratch": "released", "unet_vgg11": "trained"})
    assert some.origins.imported == ("unet_scratch",)
    assert plan().origins.imported == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"weights": {"resnet": "released"}}, "weights: no model resnet in the released edition; the models are"),
        ({"weights": {"ternausnet_pseudo": "released"}}, "weights: no model ternausnet_pseudo in the released edition"),
        ({"released": {"folds": {"ternausnet": [0]}}}, "released.folds.ternausnet: it is trained here"),
        (
            {"weights": "released", "released": {"folds": {"ternausnet": [5]}}},
            "released.folds.ternausnet: no fold 5; it has 0 to 4",
        ),
        (
            {"weights": "released", "released": {"folder": "results/full/weights"}},
            "released.folder is results/full/weights, which this run packs itself: give the run that imports from it a",
        ),
    ],
)
def test_what_there_is_not_is_told(changes, told):
    with pytest.raises(UserError, match=told):
        plan(**changes).check()


def test_what_another_run_packed_or_nobody_imports_is_no_obstacle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for fold in range(5):
        put(tmp_path, f"results/full/weights/ternausnet/fold{fold}.safetensors")
    imported("results/full/weights", run="imported").check()
    imported("results/full/weights", edition="presented").check()
    plan(released={"folder": "results/full/weights"}).check()


def test_a_checkpoint_must_be_there_unless_its_network_was_imported_before(tmp_path):
    run = imported(tmp_path, results=str(tmp_path / "results"))
    for fold in range(4):
        put(tmp_path, f"ternausnet/fold{fold}.safetensors")
    record = put(tmp_path, "results/full/models/ternausnet/fold4/recipe.yaml")
    # Of a network that was trained here, or damaged.
    for text in ("", "run: {seed: 0}", "run: [", "run: {weights: trained}"):
        record.write_text(text)
        with pytest.raises(UserError, match=r"but there is neither .*/ternausnet/fold4\.safetensors nor"):
            run.check()
    record.write_text("run: {weights: released}")
    run.check()


@pytest.mark.parametrize(
    ("model", "fold", "names"),
    [
        ("ternausnet", 2, ("ternausnet/fold2.safetensors", "best-model_2.pt")),
        ("linknet34_fma_s44", 0, ("linknet34_fma_s44/fold0.safetensors", "albu/fma_s44/fold0_best.pth")),
        (
            "unet_scratch",
            6,
            ("unet_scratch/fold6.safetensors", "scratch_s1993_im1024_aug1_fold6.7/model_best.pth.tar"),
        ),
        (
            "unet_vgg11",
            6,
            ("unet_vgg11/fold6.safetensors", "vgg11v1_s1993_im1024_gacc1_aug1_v2fold6.7_noreg/model_best.pth.tar"),
        ),
    ],
)
def test_checkpoints_are_ours_or_have_the_authors_names(model, fold, names, tmp_path):
    run = plan(weights="released", released={"folder": str(tmp_path)})
    with pytest.raises(UserError, match="there is neither"):
        run.origins.checkpoint(model, fold)
    # Ours goes first.
    for name in reversed(names):
        path = put(tmp_path, name)
        assert run.origins.checkpoint(model, fold) == path


def test_the_published_checkpoint_is_fetched_for_one_network_of_ternausnet(tmp_path):
    run = imported(tmp_path)
    with pytest.raises(UserError, match="there is neither"):
        run.origins.inputs("ternausnet", 0)
    one = plan(weights={"ternausnet": "released"}, released={"folder": str(tmp_path), "folds": {"ternausnet": ["3"]}})
    assert one.origins.inputs("ternausnet", 3) == ["results/full/download/TernausNet.pt.json"]
    assert one.origins.arguments("ternausnet", 3) == f"--checkpoint {tmp_path}/TernausNet.pt --networks 3"
    path = put(tmp_path, "best-model_3.pt")
    assert one.origins.inputs("ternausnet", 3) == [str(path)]


def test_a_run_with_some_networks_says_so_everywhere(tmp_path):
    run = plan(weights={"ternausnet": "released"}, released={"folder": str(tmp_path), "folds": {"ternausnet": [3, 0]}})
    assert run.networks.weights("ternausnet") == [
        "results/full/models/ternausnet/fold0/weights.safetensors",
        "results/full/models/ternausnet/fold3/weights.safetensors",
    ]
    told = "ternausnet: 2 of 5 networks (folds 0, 3)"
    trusted = "ternausnet: released weights, whose folds are taken on trust"
    notes = {(row.level, row.name): run.notes.of_scores(row.models) for row in run.scoring.rows()}
    for row in (("model", "ternausnet"), ("recipe", "ternausnet"), ("member", "ternaus"), ("ensemble", "ensemble")):
        assert notes[row] == [trusted, told]
    assert notes["model", "unet_scratch"] == notes["baseline", "mean_mask"] == []
    arguments = run.scoring.arguments()
    assert arguments.count("--partial") == 4
    assert f"--note '{told}'" in run.expectations.arguments()
    common = run.networks.common_argument
    assert common(run.merged, "train") == "--common"
    assert common(["unet_scratch"], "train") == common(run.merged, "test-01-of-16") == ""
    assert run.reporting.model_arguments().startswith("--model ternausnet 0,3 ")


def test_folds_of_published_weights_are_compared(tmp_path):
    run = imported(tmp_path)
    assert run.networks.folds_argument("ternausnet") == ""
    write_index(Index({}, {"f04a": "abc"}, (), ()), tmp_path / "weights.json")
    run = imported(tmp_path)
    assert run.networks.folds_argument("ternausnet") == "--trained-with abc"
    assert run.networks.folds_argument("unet_scratch") == ""
    assert run.notes.of_scores(["ternausnet"]) == ["ternausnet: released weights"]
