"""What is measured on a GPU can be measured: here, on the CPU."""

from typing import Any

import pytest
import torch

from benchmarks.gpu import rates, whole
from benchmarks.gpu.place import MODELS, Place, Way, ways_of
from benchmarks.gpu.shares import with_shares
from benchmarks.gpu.traffic import Traffic, bytes_of_training
from benchmarks.gpu.whole import really_trained, whole_hours
from carvana.catalogue import RECIPES
from carvana.data.intake import take_in
from carvana.data.synthetic.dataset import write_competition
from carvana.geometry import SMALL
from carvana.recipe_files import load_recipe


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    write_competition(folder / "drawn", 1, 2, 1, SMALL.image_size, archives=False)
    images = take_in(folder / "drawn", "train", SMALL, folder / "work", quiet=True)
    return Place(torch.device("cpu"), SMALL, 0.01, 1, images, folder)


@pytest.mark.slow
def test_everything_that_is_asked_of_a_gpu_can_be_measured(place):
    recipe = load_recipe(MODELS["linknet34"])
    able = rates.device_rates(place)
    assert min(able.values()) > 0
    row = rates.measured(recipe, place, "exact", Way())
    with_shares(row, able, recipe, place, 1.0)
    for kind in ("training", "training_loaded", "prediction", "prediction_from_files"):
        assert row[kind] > 0
    assert row["training_share_of_matrix_rate"] == pytest.approx(3 * row["training"] / able["exact_tflops"] / 1000)
    # Five networks, and mirror images.
    of_prediction = 10 * row["prediction"] / able["exact_tflops"] / 1000
    assert row["prediction_share_of_matrix_rate"] == pytest.approx(of_prediction)
    moved = bytes_of_training(recipe.model, SMALL, "exact", checkpointing=False, autotune=False) / 1e9 * row["training"]
    assert row["training_share_of_bandwidth"] == pytest.approx(moved / able["bandwidth_gb_per_s"])
    assert row["prediction_from_files_share"] == pytest.approx(row["prediction_from_files"] / row["prediction"])
    autotuned = rates.measured(recipe, place, "exact", Way("channels_last", autotune=True))
    assert "training_loaded" not in autotuned and autotuned["autotune"]
    twice = rates.measured(recipe, place, "exact", Way(checkpointing=True))
    assert twice["training"] > 0 and "prediction" not in twice
    assert 0 < twice["training_gib_counted"] < row["training_gib_counted"]
    trained = really_trained(recipe.model, place, 0)
    assert trained["epochs"] == 1 and trained["images"] == 16


def test_hours_are_images_by_images_per_second():
    measured = {"training_loaded": 2.0, "prediction": 10.0, "prediction_from_files": 8.0}
    plain = {"precision": "exact"} | Way()._asdict() | measured
    rows: list[dict[str, Any]] = [{"recipe": recipe} | plain for recipe in RECIPES]
    hours = whole_hours(rows, "exact")
    # Models: a rate of prediction is that of all their networks.
    assert hours["prediction"] == pytest.approx(9 * 100_064 / 8 / 3600)
    # Networks, epochs, share of the images that train; LinkNet34 sees a tenth of its batches twice, and its rate of
    # prediction is that of images with their mirror images.
    counted = [(5, 52, 0.8, 1, 50), (30, 40, 0.8, 1.1, 100), (7, 250, 6 / 7, 1, 70), (7, 60, 6 / 7, 1, 70)]
    seconds = sum(n * epochs * 5088 * (part * more / 2 + (1 - part) / own) for n, epochs, part, more, own in counted)
    assert hours["training"] == pytest.approx(seconds / 3600)


def test_each_precision_is_measured_by_default_and_autotuned_where_it_may_be_chosen():
    ways = {precision: ways_of(load_recipe("ternausnet"), precision) for precision in ("exact", "tf32", "bf16")}
    assert all(found[0] == Way() for found in ways.values())
    assert [way for way in ways["exact"] if way.checkpointing] == [Way(checkpointing=True)]
    assert [way.layout for found in ways.values() for way in found if way.autotune] == ["contiguous", "channels_last"]


def test_hours_of_everything_are_not_told_where_something_was_not_measured():
    measured = {"training_loaded": 2.0, "prediction": 10.0, "prediction_from_files": 8.0}
    plain = {"precision": "exact"} | Way()._asdict() | measured
    rows: list[dict[str, Any]] = [{"recipe": recipe} | plain for recipe in RECIPES]
    assert whole_hours(rows, "bf16") == whole_hours(rows[1:], "exact")
    rows[0] |= {"training": None, "training_loaded": None}
    found = whole_hours(rows, "exact")
    assert found["training"] is None and found["prediction"] == pytest.approx(9 * 100_064 / 8 / 3600)


@pytest.mark.slow
def test_what_fails_on_a_gpu_is_told_and_the_rest_measured(place, monkeypatch):
    def full(*given: object) -> dict[str, float]:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(rates, "training_rates", full)
    row = rates.measured(load_recipe(MODELS["linknet34"]), place, "exact", Way("channels_last"))
    assert row["training"] is None and row["training_error"] == "CUDA out of memory"
    assert row["prediction"] > 0


def test_what_was_measured_before_a_failure_is_kept(place, monkeypatch):
    def full_at_last(*given: Any) -> None:
        given[-1]["training"] = 2.0
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(rates, "training_rates", full_at_last)
    monkeypatch.setattr(rates, "prediction_rates", full_at_last)
    row = rates.measured(load_recipe(MODELS["linknet34"]), place, "exact", Way())
    assert (row["training"], row["training_error"]) == (2.0, "CUDA out of memory")
    assert row["prediction"] is None


def test_a_training_for_which_there_is_no_memory_is_told(place, monkeypatch):
    def full(*given: object, **named: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(whole, "fit", full)
    assert really_trained("ternausnet", place, 0) == {"model": "ternausnet", "error": "CUDA out of memory"}


def test_traffic_counts_what_is_read_and_written_and_no_views():
    one, other = torch.zeros(1000), torch.zeros(1000)
    with Traffic() as traffic:
        one + other
        assert traffic.total == 3 * 4000
        view = one.view(10, 100).T
    assert view.shape == (100, 10)
    assert traffic.total == 3 * 4000
