import cv2
import numpy as np
import pytest

from carvana.data.manifest import ImageRecord, Manifest
from carvana.data.masks import write_mask
from carvana.data.synthetic.dataset import write_competition
from carvana.geometry import SMALL

CARS = ("000000000001", "000000000002", "000000000003", "000000000004")
VIEWS = (1, 2, 3)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests of the sample may take half an hour to make it: only `-m sample` runs them."""
    if "sample" in config.getoption("markexpr"):
        return
    of_sample = [item for item in items if item.get_closest_marker("sample")]
    if of_sample:
        config.hook.pytest_deselected(items=of_sample)
        items[:] = [item for item in items if item not in of_sample]


@pytest.fixture(scope="session")
def manifest(tmp_path_factory):
    """Four cars of three views at the small geometry, on disk: bright ellipses of several places on a dark field."""
    folder = tmp_path_factory.mktemp("images")
    height, width = SMALL.image_size
    y, x = np.mgrid[0:height, 0:width]
    random = np.random.default_rng(0)
    records = []
    for car in CARS:
        for view in VIEWS:
            stem = f"{car}_{view:02d}"
            centre_y, centre_x = random.uniform(0.4, 0.6, 2) * SMALL.image_size
            mask_HW = (((y - centre_y) / 20) ** 2 + ((x - centre_x) / 30) ** 2 <= 1).astype(np.uint8)
            image_HWC = random.integers(0, 60, (height, width, 3)) + 150 * mask_HW[..., None]
            image, mask = folder / f"{stem}.png", folder / f"{stem}_mask.png"
            cv2.imwrite(str(image), image_HWC.astype(np.uint8))
            write_mask(mask, mask_HW)
            area = int(mask_HW.sum())
            records.append(
                ImageRecord(f"{stem}.jpg", car, view, 1, width, height, stem, str(image), str(mask), stem, area)
            )
    return Manifest(tuple(records))


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A competition of one training and one test car in Kaggle's archives, with its solution; not to be written to."""
    folder = tmp_path_factory.mktemp("drawn")
    write_competition(folder, 1, 1, 1, SMALL.image_size, archives=True)
    return folder


@pytest.fixture(scope="session")
def folds():
    return {car: number % 2 for number, car in enumerate(CARS)}
