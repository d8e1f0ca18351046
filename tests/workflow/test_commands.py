"""What the configuration says reaches the commands of the jobs, under one that sets all of them."""

import shlex
from pathlib import Path

import pytest
import yaml

from tests.workflow.test_plan import snakemake

CONFIGURATION = {
    "edition": "presented",
    "seed": 7,
    "precision": "tf32",
    "deterministic": False,
    "epochs": {"ternausnet": 9},
    "images_per_step": {"ternausnet": 2},
    "gpu_memory": {"ternausnet": 11},
    "activation_checkpointing": {"ternausnet": True},
    "gpus_per_training": {"ternausnet": 2},
    "threads": 3,
    "workers": 4,
    "save_minutes": 5,
    "quiet": True,
}


def options(command: str) -> dict[str, str]:
    """Option -> what it is given, of a command as Snakemake prints it."""
    words = shlex.split(command.split(" 2>&1 ")[0])
    starts = [place for place, word in enumerate(words) if word.startswith("--")]
    ends = [*starts[1:], len(words)]
    return {words[start][2:]: " ".join(words[start + 1 : end]) for start, end in zip(starts, ends, strict=True)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("commands")
    return folder


@pytest.fixture(scope="module")
def commands(folder):
    """Script -> the options of its commands."""
    (folder / "exclude.csv").write_text("img,exclude\n0123456789ab_01.jpg,1\n")
    places = {"results": str(folder / "results"), "data": {"exclude": str(folder / "exclude.csv")}}
    overlay = folder / "overlay.yaml"
    overlay.write_text(yaml.safe_dump(CONFIGURATION | places))
    output = snakemake("--printshellcmds", "--cores", "8", "--resources", "gpu=2", "--configfile", str(overlay)).stdout
    found: dict[str, list[dict[str, str]]] = {}
    for line in output.splitlines():
        _, script, command = line.partition("python workflow/scripts/")
        if script:
            found.setdefault(command.split()[0], []).append(options(command))
    return found


def command_of(commands, script, **wanted):
    (one,) = [options for options in commands[script] if wanted.items() <= options.items()]
    return one


def test_a_training_with_pseudo_labels(commands, folder):
    run = folder / "results/full-presented"
    network = run / "models/ternausnet_pseudo/fold1"
    assert command_of(commands, "train.py", model="ternausnet_pseudo", fold="1") == {
        "model": "ternausnet_pseudo",
        "edition": "presented",
        "fold": "1",
        "manifest": f"{run}/data/train.csv",
        "folds": f"{run}/folds/f04a.csv",
        "geometry": "full",
        "epochs": "9",
        "images-per-step": "2",
        "seed": "7",
        "precision": "tf32",
        "autotune": "",
        "gpus-wanted": "2",
        "gpus-granted": "2",
        "gpu-memory": "11",
        "activation-checkpointing": "",
        "threads": "3",
        "workers": "4",
        "encoder-weights": f"{folder}/results/encoders/vgg11-bbd30ac9.pth",
        "exclude": f"{folder}/exclude.csv",
        "pseudo-labels": f"{run}/pseudo_labels/fold1/manifest.csv",
        "weights": f"{network}/weights.safetensors",
        "history": f"{network}/history.csv",
        "recipe": f"{network}/recipe.yaml",
        "timings": f"{network}/timings.json",
        "tensorboard": f"{run}/tensorboard/ternausnet_pseudo/fold1",
        "store": f"{folder}/results/store",
        "save-seconds": "300.0",
        "quiet": "",
    }


@pytest.mark.parametrize(
    ("model", "folds", "encoder"),
    [
        ("ternausnet", "f04a", "vgg11-bbd30ac9.pth"),
        ("linknet34_fma_s88", "fma", "resnet34-333f7ec4.pth"),
        ("linknet34_f04a_clahe", "f04a", "resnet34-333f7ec4.pth"),
        ("unet_scratch", "random7", None),
        ("unet_vgg11", "area7", "vgg11-bbd30ac9.pth"),
    ],
)
def test_every_training_has_its_folds_and_its_encoder(commands, folder, model, folds, encoder):
    training = command_of(commands, "train.py", model=model, fold="0")
    assert training["folds"] == f"{folder}/results/full-presented/folds/{folds}.csv"
    assert training.get("encoder-weights") == (encoder and f"{folder}/results/encoders/{encoder}")
    assert "pseudo-labels" not in training


@pytest.mark.parametrize(
    ("scheme", "number", "digest"),
    [("f04a", "5", "0acd14f1"), ("fma", "5", "9eecb724"), ("random7", "7", "122b467b"), ("area7", "7", "c2f2fce7")],
)
def test_folds_must_be_the_authors(commands, scheme, number, digest):
    folds = command_of(commands, "folds.py", scheme=scheme)
    assert (folds["folds"], folds["expected-digest"][:8]) == (number, digest)


@pytest.mark.parametrize(("split", "cars", "images"), [("train", "318", "5088"), ("test", "6254", "100064")])
def test_images_must_be_as_many_as_published(commands, split, cars, images):
    intake = command_of(commands, "intake.py", split=split)
    assert (intake["expected-cars"], intake["expected-images"]) == (cars, images)


def test_a_prediction_takes_the_networks_of_all_folds_in_their_order(commands, folder):
    run = folder / "results/full-presented"
    prediction = command_of(commands, "predict.py", model="unet_scratch", shard="3")
    weights = [f"{run}/models/unet_scratch/fold{fold}/weights.safetensors" for fold in range(7)]
    assert prediction["weights"].split() == weights
    assert (prediction["shards"], prediction["precision"]) == ("16", "tf32")
    assert prediction["out"] == f"{run}/predictions/unet_scratch/test-04-of-16.h5"
