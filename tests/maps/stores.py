"""Stores of random maps."""

import numpy as np

from carvana.maps.mapstore import MapWriter

NAMES = ("a_01.jpg", "a_02.jpg", "b_01.jpg", "b_02.jpg")


def store(path, maps, source="m", networks=1, kind="sums"):
    size_HW = next(iter(maps.values())).shape
    with MapWriter(path, list(maps), size_HW, kind, source, networks) as writer:
        for name, map_HW in maps.items():
            writer.write(name, map_HW)
    return path


def random_maps(seed, names=NAMES, size_HW=(9, 11)):
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, 256, size_HW, dtype=np.uint8) for name in names}
