import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from carvana.data.imageset import ImageSet
from carvana.data.manifest import Manifest
from carvana.errors import UserError
from carvana.maps.mapstore import MapReader
from carvana.metrics import dice
from carvana.prediction import predict as prediction
from carvana.prediction import validate as validation
from carvana.prediction.maps import sum_of_maps
from carvana.prediction.networks import load_networks
from carvana.prediction.pipeline import Pipeline
from carvana.prediction.shards import shard_slice
from carvana.recipe_files import load_recipe
from carvana.transforms.inputs import network_input
from carvana.transforms.protocol import build_transforms

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def networks(conditions):
    return load_networks(conditions.recipe, conditions.weights, CPU)


def one_map(conditions, manifest, name, networks):
    transforms = build_transforms(conditions.recipe, conditions.geometry)
    image_HWC = torch.from_numpy(transforms.predict(ImageSet(manifest).image(name)))
    (image_3HW,) = network_input(image_HWC[None], transforms.normalised)
    return sum_of_maps(networks, image_3HW, conditions.recipe, conditions.geometry.image_size)


def predict(conditions, manifest, folder):
    prediction.predict(conditions, manifest, folder / "sums.h5", folder / "timings.json")


def validate(conditions, manifest, folder):
    folds = {car: 1 - place for place, car in enumerate(manifest.cars)}
    validation.validate(conditions, manifest, folds, folder / "maps.h5", folder / "dice.csv", folder / "timings.json")
    return folds


def stored(path):
    with MapReader(path) as store:
        return (store.kind, store.source, store.networks, store.names), dict(store)


def with_record(manifest, name, **changes):
    return Manifest(tuple(replace(record, **changes) if record.name == name else record for record in manifest))


@pytest.fixture(scope="module")
def predicted(conditions, manifest, tmp_path_factory):
    folder = tmp_path_factory.mktemp("predicted")
    predict(conditions, manifest, folder)
    return folder


def test_prediction_stores_the_sums_of_all_networks_in_the_manifests_order(conditions, manifest, networks, predicted):
    facts, sums = stored(predicted / "sums.h5")
    assert facts == ("sums", "linknet34_f04a_clahe", 2, manifest.names)
    for name in manifest.names[::5]:
        np.testing.assert_array_equal(sums[name], one_map(conditions, manifest, name, networks))
    assert len({map_HW.tobytes() for map_HW in sums.values()}) == len(manifest)


def test_a_map_depends_neither_on_its_shard_nor_on_the_number_of_workers(conditions, manifest, predicted, tmp_path):
    _, whole = stored(predicted / "sums.h5")
    for shard, workers in enumerate((1, 5)):
        part = Manifest(manifest.records[shard_slice(len(manifest), 2, shard)])
        predict(replace(conditions, workers=workers), part, tmp_path)
        (*_, names), sums = stored(tmp_path / "sums.h5")
        assert names == manifest.names[16 * shard : 16 * shard + 16]
        for name in names:
            np.testing.assert_array_equal(sums[name], whole[name])


def test_validation_uses_the_network_of_the_cars_own_fold(conditions, manifest, networks, tmp_path):
    folds = validate(conditions, manifest, tmp_path)
    facts, maps = stored(tmp_path / "maps.h5")
    assert facts == ("sums", "linknet34_f04a_clahe", 1, manifest.names)
    for record in list(manifest)[::5]:
        own = [networks[folds[record.car]]]
        np.testing.assert_array_equal(maps[record.name], one_map(conditions, manifest, record.name, own))
    with (tmp_path / "dice.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["img", "car", "view", "fold", "dice"]
    assert [row["img"] for row in rows] == list(manifest.names)
    for row, record in zip(rows, manifest, strict=True):
        assert (row["car"], int(row["view"]), int(row["fold"])) == (record.car, record.view, folds[record.car])
        mask = ImageSet(manifest).mask(record.name)
        assert float(row["dice"]) == dice(maps[record.name] >= 128, mask)
    assert len({row["dice"] for row in rows}) > 10


def test_networks_predict_in_evaluation_mode(networks):
    assert not any(module.training for network in networks for module in network.modules())


class Seeing(torch.nn.Module):
    """Keeps what it is given, and gives logits of 0."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images_N3HW):
        self.seen.append(images_N3HW.clone())
        return torch.zeros_like(images_N3HW[:, :1])


@pytest.mark.parametrize(
    ("model", "normalised"),
    [("ternausnet", True), ("linknet34_fma_s44", False), ("unet_scratch", False), ("unet_vgg11", True)],
)
def test_images_are_normalised_where_the_author_did(conditions, manifest, model, normalised):
    recipe, (name, *_) = load_recipe(model), manifest.names
    network, transforms = Seeing(), build_transforms(recipe, conditions.geometry)
    pipeline = Pipeline(recipe, conditions.geometry, ImageSet(manifest), CPU, workers=1, quiet=True)
    pipeline.run([name], lambda _: [network], lambda *_: None)
    prepared_HWC = torch.from_numpy(transforms.predict(ImageSet(manifest).image(name)))
    expected_3HW = prepared_HWC.permute(2, 0, 1).float() / 255
    if normalised:
        mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
        expected_3HW = (expected_3HW - mean) / deviation
    # Whichever comes first, it or its mirror image.
    assert any(torch.allclose(seen_13HW[0], expected_3HW, rtol=0, atol=1e-6) for seen_13HW in network.seen)


def test_timings_tell_what_was_done_on_what(predicted):
    timings = json.loads((predicted / "timings.json").read_text())
    assert (timings["images"], timings["networks"], timings["device"], timings["threads"]) == (32, 2, "cpu", 1)
    assert timings["images_per_second"] == timings["images"] / timings["seconds"]
    assert timings["peak_memory_bytes"] > 100e6
    assert timings["peak_device_memory_bytes"] is None


def test_a_damaged_image_ends_the_job_and_leaves_nothing(conditions, manifest, tmp_path):
    name = manifest.names[5]
    whole = Path(manifest.by_name[name].file).read_bytes()
    (tmp_path / "damaged.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"damaged.jpg: truncated"):
        predict(conditions, with_record(manifest, name, file=str(tmp_path / "damaged.jpg")), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_error_while_storing_ends_the_job_and_leaves_nothing(conditions, manifest, tmp_path):
    with pytest.raises(UserError, match=r"no.png is not there any more"):
        validate(conditions, with_record(manifest, manifest.names[5], mask=str(tmp_path / "no.png")), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_error_while_computing_ends_the_job_and_leaves_nothing(conditions, manifest, tmp_path):
    """LinkNet34 cannot add its skips at a height that 32 does not divide."""
    cv2.imwrite(str(tmp_path / "odd.jpg"), np.zeros((33, 62, 3), np.uint8))
    odd = replace(conditions, geometry=replace(conditions.geometry, image_size=(33, 62)))
    with pytest.raises(RuntimeError, match="must match the size"):
        predict(odd, with_record(manifest, manifest.names[0], file=str(tmp_path / "odd.jpg")), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_image_of_another_size_is_told(conditions, manifest, tmp_path):
    name = manifest.names[3]
    cv2.imwrite(str(tmp_path / "large.jpg"), np.zeros((64, 124, 3), np.uint8))
    with pytest.raises(UserError, match=r"has \(64, 124\) pixels, but images of the geometry test have \(32, 62\)"):
        predict(conditions, with_record(manifest, name, file=str(tmp_path / "large.jpg")), tmp_path)


@pytest.mark.parametrize(
    ("folds", "networks", "told"),
    [
        ({"a": 0}, 1, r"1 cars have no fold \(b\)"),
        ({"a": 0, "b": 1}, 3, "weights of 3 networks"),
        ({"a": 0, "b": 2}, 2, r"folds \[0, 2\]"),
    ],
)
def test_folds_that_do_not_fit_are_told(folds, networks, told):
    with pytest.raises(UserError, match=told):
        validation.check_folds(folds, ["a", "b"], networks)


def test_weights_of_another_fold_model_or_network_are_told(weights):
    own = load_recipe("linknet34_f04a_clahe")
    with pytest.raises(UserError, match="holds the weights of fold 1, expected fold 0"):
        load_networks(own, weights[::-1], CPU)
    with pytest.raises(UserError, match="weights of model linknet34_f04a_clahe, expected model linknet34_fma_s44"):
        load_networks(load_recipe("linknet34_fma_s44"), weights, CPU)
    with pytest.raises(UserError, match="holds no weights of TernausNet"):
        load_networks(load_recipe("ternausnet"), weights, CPU)
