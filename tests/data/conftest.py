"""A little data folder in Kaggle's layout, drawn at the small geometry so that tests are quick."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from carvana.data.names import VIEWS, ImageName
from carvana.geometry import SMALL

TRAIN_CARS = ("00000000000a", "00000000000b")
TEST_CARS = ("00000000000c",)


def write_jpeg(path: Path, size: tuple[int, int], seed: int) -> None:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), cv2.resize(coarse, (size[1], size[0])))


def write_gif_mask(path: Path, size: tuple[int, int], seed: int) -> None:
    mask = np.zeros(size, np.uint8)
    mask[size[0] // 4 : size[0] // 2, size[1] // 8 : size[1] // 8 + 10 + seed] = 1
    picture = Image.fromarray(mask, mode="P")
    picture.putpalette([0, 0, 0, 255, 255, 255])
    picture.save(path)


def draw_kaggle_folder(folder: Path, size: tuple[int, int]) -> None:
    for name in ("train_hq", "train_masks", "test_hq"):
        (folder / name).mkdir(parents=True)
    for number, car in enumerate(TRAIN_CARS):
        for view in VIEWS:
            image = ImageName(car, view)
            write_jpeg(folder / "train_hq" / str(image), size, 16 * number + view)
            write_gif_mask(folder / "train_masks" / f"{image.mask_stem}.gif", size, 16 * number + view)
    names = [ImageName(car, view) for car in TEST_CARS for view in VIEWS]
    for image in names:
        write_jpeg(folder / "test_hq" / str(image), size, 1000 + image.view)
    (folder / "sample_submission.csv").write_text("img,rle_mask\n" + "".join(f"{name},1 1\n" for name in names))
    (folder / "metadata.csv").write_text("id,year,make,model,trim1,trim2\n")


@pytest.fixture(scope="session")
def pristine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kaggle")
    draw_kaggle_folder(folder, SMALL.image_size)
    return folder


@pytest.fixture
def data_folder(pristine_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(pristine_folder, tmp_path / "data"))


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder
