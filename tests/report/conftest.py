import cv2
import numpy as np
import pytest

from carvana import rle
from carvana.data.imageset import ImageSet
from carvana.data.manifest import ImageRecord, Manifest
from carvana.data.masks import write_mask
from carvana.files import write_table
from carvana.geometry import SMALL
from carvana.maps.mapstore import MapWriter
from carvana.recipe_files import model_names
from carvana.submission.mask_table import COLUMNS

NAMES = tuple(f"{car:012x}_{view:02}.jpg" for car in (1, 2) for view in (1, 2, 3))


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A few photos with masks, every model's out-of-fold maps, and the ensemble's table of masks."""
    folder = tmp_path_factory.mktemp("drawn")
    rng = np.random.default_rng(5)
    records, truths = [], {}
    for number, name in enumerate(NAMES):
        truth_HW = np.zeros(SMALL.image_size, np.uint8)
        truth_HW[20:50, 15 + 2 * number : 75] = 1
        image_HWC = rng.integers(0, 255, (*SMALL.image_size, 3), np.uint8)
        image_HWC[truth_HW > 0] = (200, 60, 40)
        cv2.imwrite(str(folder / name), image_HWC)
        write_mask(folder / f"{name}.png", truth_HW)
        paths = str(folder / name), str(folder / f"{name}.png")
        area = int(truth_HW.sum())
        records.append(ImageRecord(name, name[:12], int(name[13:15]), 1, 94, 64, "", paths[0], paths[1], "", area))
        truths[name] = truth_HW
    stores = []
    for shift, model in enumerate(model_names()):
        stores.append(folder / f"{model}.h5")
        with MapWriter(stores[-1], NAMES, SMALL.image_size, "sums", model, 1) as writer:
            for name in NAMES:
                writer.write(name, (np.roll(truths[name], shift, axis=1) * 250).astype(np.uint16))
    write_table(folder / "ensemble.csv", COLUMNS, ((name, rle.encode(truth)) for name, truth in truths.items()))
    return ImageSet(Manifest(tuple(records))), stores, folder / "ensemble.csv"
