"""Two cars on disk, and LinkNet34s with random weights."""

import cv2
import numpy as np
import pytest
import torch

from carvana.data.manifest import ImageRecord, Manifest, write_manifest
from carvana.data.masks import write_mask
from carvana.geometry import SMALL, Geometry
from carvana.networks import linknet34
from carvana.prediction.conditions import Conditions
from carvana.recipe_files import load_recipe
from carvana.weights import save_weights

MODEL = "linknet34_f04a_clahe"
CARS = ("0123456789ab", "fedcba987654")


def draw_images(folder, size_HW):
    folder.mkdir()
    rng = np.random.default_rng(3)
    records = []
    for car in CARS:
        for view in range(1, 17):
            name = f"{car}_{view:02d}.jpg"
            coarse = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / name), cv2.resize(coarse, size_HW[::-1], interpolation=cv2.INTER_CUBIC))
            mask = np.zeros(size_HW, np.uint8)
            mask[4 : 8 + view, 10:-10] = 1
            mask_file = folder / f"{name}.png"
            write_mask(mask_file, mask)
            records.append(
                ImageRecord(
                    name=name,
                    car=car,
                    view=view,
                    bytes=1,
                    width=size_HW[1],
                    height=size_HW[0],
                    sha256="0" * 64,
                    file=str(folder / name),
                    mask=str(mask_file),
                    mask_sha256="0" * 64,
                    area=int(mask.sum()),
                )
            )
    return Manifest(tuple(records))


@torch.no_grad()
def spread_network(seed):
    """Random weights, but logits around 0 that differ much, so that maps differ too."""
    torch.manual_seed(seed)
    network = linknet34.build(load_recipe(MODEL).network.num_filters)
    logits = network.eval()(torch.rand(2, 3, 32, 64))
    last = network.finalconv3.state_dict()
    last["bias"].sub_(logits.median()).div_(logits.std())
    last["weight"].div_(logits.std())
    return network


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """Files of two folds' networks."""
    folder = tmp_path_factory.mktemp("weights")
    files = []
    for fold in range(2):
        files.append(folder / f"fold{fold}.safetensors")
        save_weights(files[-1], spread_network(fold).state_dict(), {"model": MODEL, "fold": fold, "epoch": 1})
    return tuple(files)


@pytest.fixture(scope="session")
def conditions(weights):
    """In a geometry of its own, for speed."""
    geometry = Geometry("test", (32, 62), (32, 64), (32, 32))
    return Conditions(
        load_recipe(MODEL), weights, None, geometry, "exact", False, "cpu", threads=1, workers=2, quiet=True
    )


@pytest.fixture(scope="session")
def manifest(tmp_path_factory, conditions):
    return draw_images(tmp_path_factory.mktemp("test") / "images", conditions.geometry.image_size)


@pytest.fixture(scope="session")
def small_manifest_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    write_manifest(draw_images(folder / "images", SMALL.image_size), folder / "manifest.csv")
    return folder / "manifest.csv"
