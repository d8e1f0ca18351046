import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)

from carvana.data.manifest import Manifest
from carvana.errors import UserError
from carvana.networks.building import build_network
from carvana.recipe_files import load_recipe, parse_recipe
from carvana.training import run
from carvana.training.draws import Draws
from carvana.training.loading import Loading
from carvana.training.run import Outputs, Saving, initial_network, train_network
from carvana.training.split import Split, TrainingImages
from carvana.weights import load_weights, read_facts
from tests.training.conditions import small_conditions

MODEL = "linknet34_f04a_clahe_rmsprop"
EPOCHS = 2


def conditions(seed=0):
    return small_conditions(MODEL, EPOCHS, seed=seed)


def outputs(folder: Path):
    names = ("weights.safetensors", "history.csv", "recipe.yaml", "timings.json", "events")
    return Outputs(*(folder / name for name in names))


def saving(results: Outputs):
    return Saving(results.weights.parent / "state", seconds=1000)


@pytest.fixture(scope="module")
def images(manifest, folds):
    return TrainingImages(manifest, folds)


@pytest.fixture(scope="module")
def pseudo_labelled(manifest):
    """A test car's image, with the pixels and the mask of a training car's."""
    record = manifest.records[0]
    return Manifest((dataclasses.replace(record, name="ffffffffffff_01.jpg", car="ffffffffffff"),))


def names_of(images: TrainingImages, fold: int) -> list[str]:
    return [record.name for record in images.manifest if images.folds[record.car] == fold]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, images):
    results = outputs(tmp_path_factory.mktemp("trained"))
    train_network(conditions(), images, results, saving(results), quiet=True)
    return results


@pytest.fixture(scope="module")
def history(trained):
    with trained.history.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_training_is_of_its_editions_recipe(images, tmp_path, monkeypatch):
    """By the slides, unet_vgg11 is trained by SGD; the released program says Adam."""
    found = []

    def begun(recipe, draws, encoder_weights):
        found.append(recipe.optimizer.name)
        raise InterruptedError

    monkeypatch.setattr(run, "initial_network", begun)
    for edition in ("released", "presented"):
        results = outputs(tmp_path / edition)
        (tmp_path / edition / "state").mkdir(parents=True)
        with pytest.raises(InterruptedError):
            train_network(
                small_conditions("unet_vgg11", EPOCHS, edition=edition), images, results, saving(results), quiet=True
            )
    assert found == ["adam", "sgd"]


def test_history_has_the_epochs_and_what_the_author_reported(history):
    assert [(row["epoch"], row["recipe_epoch"]) for row in history] == [("1", "0"), ("2", "20")]
    reported = {f"{part}_{name}" for part in ("train", "valid") for name in ("loss", "soft_dice", "hard_dice", "bce")}
    assert set(history[0]) == {"epoch", "recipe_epoch", "learning_rate", "selected"} | reported


def test_weights_are_those_of_the_last_selected_epoch(trained, history):
    selected = [int(row["epoch"]) for row in history if row["selected"] == "1"]
    facts: dict[str, Any] = read_facts(trained.weights)
    # The recipe inside: the file alone says what the network is.
    assert parse_recipe(facts.pop("recipe")) == load_recipe(MODEL)
    assert facts == {"model": MODEL, "fold": 0, "epoch": selected[-1]}
    load_weights(build_network(load_recipe(MODEL)), trained.weights)


def test_the_recipe_is_written_with_its_sources_and_the_run(trained):
    record = yaml.safe_load(trained.recipe.read_text())
    assert record["optimizer"]["name"] == {"value": "rmsprop", "source": "script"}
    run = record["run"]
    assert (run["edition"], run["geometry"], run["epochs"], run["folds"]) == ("released", "small", EPOCHS, 2)
    assert (run["encoder_weights"], run["encoder_weights_sha256"]) == ("random", None)
    assert f"torch={torch.__version__.split('+')[0]}" in run["packages"]


def test_timings_are_written_apart(trained):
    timings = json.loads(trained.timings.read_text())
    assert len(timings["epochs"]) == EPOCHS
    # A batch of 4, and its replay as the hardest so far.
    assert [epoch["train_images"] for epoch in timings["epochs"]] == [8, 8]
    assert [epoch["valid_images"] for epoch in timings["epochs"]] == [6, 6]
    assert timings["peak_memory_bytes"] > 2**28


def test_curves_for_tensorboard(trained, history):
    events = EventAccumulator(str(trained.tensorboard)).Reload()
    points = [(event.step, event.value) for event in events.Scalars("valid/hard_dice")]
    assert points == [(int(row["epoch"]), pytest.approx(float(row["valid_hard_dice"]))) for row in history]


def test_a_repeated_training_is_the_same_bit_for_bit(trained, tmp_path, images, capsys):
    again = outputs(tmp_path)
    train_network(conditions(), images, again, saving(again), quiet=False)
    for name in ("weights", "history", "recipe"):
        assert getattr(again, name).read_bytes() == getattr(trained, name).read_bytes(), name
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" loss")[0] for line in lines] == [f"[{MODEL} fold 0] epoch {n}/2" for n in (1, 2)]


def test_a_failed_training_leaves_no_results(tmp_path, images):
    image = Path(images.manifest.records[-1].file)
    whole = image.read_bytes()
    image.write_bytes(whole[: len(whole) // 2])
    try:
        with pytest.raises(UserError, match=r"truncated"):
            train_network(conditions(), images, outputs(tmp_path), saving(outputs(tmp_path)), quiet=True)
    finally:
        image.write_bytes(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["events"]


def test_too_few_images_for_a_batch_are_told(tmp_path, images):
    run = dataclasses.replace(conditions(), images_per_step=7)
    with pytest.raises(UserError, match=r"6 images make no batch of 7, .* set images_per_step.linknet34 to 6 or less"):
        train_network(run, images, outputs(tmp_path), saving(outputs(tmp_path)), quiet=True)


def test_a_training_is_of_what_its_conditions_and_images_say(tmp_path, images, pseudo_labelled, monkeypatch):
    """Random numbers of the run, the recipe, the model and the fold; first weights, images left out and added."""
    used = {}

    class SeenLoading(Loading):
        def __init__(self, **given):
            used["images"] = given["draws"], given["split"]
            super().__init__(**given)

    def seen_network(recipe, draws, encoder_weights):
        used["first weights"] = draws, encoder_weights
        raise UserError("seen enough: nothing need be trained")

    monkeypatch.setattr("carvana.training.run.Loading", SeenLoading)
    monkeypatch.setattr("carvana.training.run.initial_network", seen_network)
    # A recipe that names a seed, and none of the defaults.
    encoder, (left_out, *trained) = tmp_path / "resnet34.pth", names_of(images, fold=0)
    run = dataclasses.replace(
        conditions(seed=7), model="linknet34_fma_s44", fold=1, encoder_weights=encoder, excluded=(left_out,)
    )
    images = dataclasses.replace(images, pseudo_labelled=pseudo_labelled)
    with pytest.raises(UserError, match="seen enough"):
        train_network(run, images, outputs(tmp_path), saving(outputs(tmp_path)), quiet=True)
    draws = Draws(seed=7, recipe_seed=44, model="linknet34_fma_s44", fold=1)
    parted = Split((*trained, *pseudo_labelled.names), tuple(names_of(images, fold=1)))
    assert used == {"images": (draws, parted), "first weights": (draws, encoder)}


def test_the_first_weights_depend_on_seed_model_and_fold_only():
    recipe = load_recipe("linknet34_fma_s44")

    def weights(*draws):
        return initial_network(recipe, Draws(*draws), None).state_dict()["finalconv3.weight"]

    first = weights(0, 44, "linknet34_fma_s44", 0)
    assert torch.equal(weights(0, 44, "linknet34_fma_s44", 0), first)
    for other in (
        (1, 44, "linknet34_fma_s44", 0),
        (0, 88, "linknet34_fma_s44", 0),
        (0, 44, "linknet34_fma_s88", 0),
        (0, 44, "linknet34_fma_s44", 1),
    ):
        assert not torch.equal(weights(*other), first)
