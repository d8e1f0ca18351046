import subprocess
import sys

import numpy as np
import pytest

from carvana.errors import UserError
from carvana.maps.mapstore import MapReader, MapWriter

NAMES = ["b_01.jpg", "a_01.jpg", "a_02.jpg"]


def example_maps(dtype, size_HW=(12, 19)):
    rng = np.random.default_rng(3)
    return {name: rng.integers(0, np.iinfo(dtype).max, size_HW, dtype=dtype, endpoint=True) for name in NAMES}


def write_store(path, maps, kind="sums", networks=5):
    size_HW = next(iter(maps.values())).shape
    with MapWriter(path, list(maps), size_HW, kind, "ternausnet", networks) as store:
        for name, map_HW in maps.items():
            store.write(name, map_HW)


@pytest.mark.parametrize(("kind", "dtype"), [("sums", np.uint16), ("maps", np.uint8)])
def test_maps_come_back_by_name_and_in_order(tmp_path, kind, dtype):
    maps = example_maps(dtype)
    write_store(tmp_path / "new" / "maps.h5", maps, kind, networks=7)
    with MapReader(tmp_path / "new" / "maps.h5") as store:
        assert (store.kind, store.source, store.networks, store.size_HW) == (kind, "ternausnet", 7, (12, 19))
        assert store.names == tuple(NAMES)
        for name in reversed(NAMES):
            np.testing.assert_array_equal(store.read(name), maps[name])
            assert store.read(name).dtype == dtype
        assert [name for name, _ in store] == NAMES
        with pytest.raises(UserError, match=r"no map of c_01\.jpg"):
            store.read("c_01.jpg")


def test_equal_content_gives_equal_bytes(tmp_path):
    for name in ("one.h5", "two.h5"):
        write_store(tmp_path / name, example_maps(np.uint16))
    assert (tmp_path / "one.h5").read_bytes() == (tmp_path / "two.h5").read_bytes()


def test_plain_h5py_opens_a_store(tmp_path):
    write_store(tmp_path / "maps.h5", example_maps(np.uint16))
    program = "import h5py, hdf5plugin, sys; f = h5py.File(sys.argv[1]); print(f['maps'][1].sum(), f['names'][1])"
    shown = subprocess.run([sys.executable, "-c", program, str(tmp_path / "maps.h5")], capture_output=True, text=True)
    assert shown.stdout.split() == [str(example_maps(np.uint16)["a_01.jpg"].sum()), "b'a_01.jpg'"]


def test_nothing_is_left_when_the_writing_fails(tmp_path):
    maps = example_maps(np.uint16)
    with (
        pytest.raises(RuntimeError, match="device lost"),
        MapWriter(tmp_path / "maps.h5", NAMES, (12, 19), "sums", "ternausnet", 5) as store,
    ):
        store.write(NAMES[0], maps[NAMES[0]])
        raise RuntimeError("device lost")
    assert list(tmp_path.iterdir()) == []


def test_an_incomplete_store_is_refused(tmp_path):
    maps = example_maps(np.uint16)
    with (
        pytest.raises(ValueError, match="1 of 3 maps"),
        MapWriter(tmp_path / "maps.h5", NAMES, (12, 19), "sums", "ternausnet", 5) as store,
    ):
        store.write(NAMES[0], maps[NAMES[0]])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "map_HW", "message"),
    [
        ("a_01.jpg", np.zeros((12, 19), np.uint16), "not the next"),
        ("b_01.jpg", np.zeros((12, 20), np.uint16), "expected uint16"),
        ("b_01.jpg", np.zeros((12, 19), np.uint8), "expected uint16"),
    ],
)
def test_a_map_that_does_not_belong_is_refused(tmp_path, name, map_HW, message):
    with (
        pytest.raises(ValueError, match=message),
        MapWriter(tmp_path / "maps.h5", NAMES, (12, 19), "sums", "ternausnet", 5) as store,
    ):
        store.write(name, map_HW)


@pytest.mark.parametrize(("names", "networks"), [([], 5), (["a", "a"], 5), (["a"], 0), (["a"], 258)])
def test_impossible_stores_are_refused(tmp_path, names, networks):
    with pytest.raises(ValueError, match=r"each once|16 bits"):
        MapWriter(tmp_path / "maps.h5", names, (12, 19), "sums", "ternausnet", networks)


def test_missing_and_foreign_files_are_user_errors(tmp_path):
    with pytest.raises(UserError, match="no such map store"):
        MapReader(tmp_path / "absent.h5")
    (tmp_path / "foreign.h5").write_bytes(b"not HDF5")
    with pytest.raises(UserError, match=r"foreign\.h5: not a readable map store"):
        MapReader(tmp_path / "foreign.h5")


def read_all(path):
    with MapReader(path) as store:
        return store.kind, store.source, store.networks, store.names, {name: map_HW.tolist() for name, map_HW in store}


def test_a_flipped_byte_anywhere_is_found_or_harmless(tmp_path):
    write_store(tmp_path / "maps.h5", example_maps(np.uint16))
    good, content = (tmp_path / "maps.h5").read_bytes(), read_all(tmp_path / "maps.h5")
    damaged_maps: set[str] = set()
    for position in range(0, len(good), 3):
        flipped = bytearray(good)
        flipped[position] ^= 0xFF
        (tmp_path / "flipped.h5").write_bytes(flipped)
        try:
            assert read_all(tmp_path / "flipped.h5") == content
        except UserError as error:
            assert "flipped.h5" in str(error)
            damaged_maps.update(name for name in NAMES if f"the map of {name} is damaged" in str(error))
    assert damaged_maps == set(NAMES)
