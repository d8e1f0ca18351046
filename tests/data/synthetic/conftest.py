"""One drawn competition for all tests here, as `make sample` draws it but with fewer cars."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from carvana import rle
from carvana.data.synthetic.dataset import write_competition
from carvana.geometry import SMALL
from carvana.reading import read_rows

TRAIN_CARS, TEST_CARS = 8, 2


@dataclass(frozen=True)
class Drawn:
    folder: Path
    train_images: NDArray[np.uint8]  # (N, H, W, 3), RGB
    train_masks: NDArray[np.bool_]  # (N, H, W)
    test_images: NDArray[np.uint8]
    test_masks: NDArray[np.bool_]


def read_pictures(folder: Path) -> NDArray[np.uint8]:
    return np.array([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())])


@pytest.fixture(scope="package")
def drawn(tmp_path_factory) -> Drawn:
    folder = tmp_path_factory.mktemp("competition")
    write_competition(folder, 2017, TRAIN_CARS, TEST_CARS, SMALL.image_size, archives=False)
    truth = [rle.decode(row["rle_mask"], SMALL.image_size) for row in read_rows(folder / "solution.csv")]
    return Drawn(
        folder,
        read_pictures(folder / "train_hq"),
        read_pictures(folder / "train_masks") > 0,
        read_pictures(folder / "test_hq"),
        np.array(truth) > 0,
    )
