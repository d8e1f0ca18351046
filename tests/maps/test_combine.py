import numpy as np
import pytest

from carvana import rle
from carvana.errors import UserError
from carvana.geometry import SMALL
from carvana.maps.combine import NetworkSums, merge_networks
from carvana.maps.mapstore import MapReader
from carvana.maps.merging import merge_rule
from carvana.reading import read_rows
from carvana.recipe_files import load_recipe
from tests.maps.stores import NAMES, random_maps, store


def sums_of(*maps):
    return {name: np.sum([each[name] for each in maps], axis=0, dtype=np.uint16) for name in maps[0]}


@pytest.mark.parametrize(("model", "rule"), [("linknet34_fma_s44", "truncate"), ("unet_vgg11", "round")])
def test_merging_models_equals_merging_all_their_networks(tmp_path, model, rule):
    networks = [random_maps(seed) for seed in range(5)]
    # Sums of 637 to 640: a mean of 127.6 is rounded to 128, and not yet car by the unrounded mean.
    for network in networks:
        network[NAMES[0]][0, :4] = 127
    networks[0][NAMES[0]][0, :4] = 129, 130, 131, 132
    one = store(tmp_path / "one.h5", sums_of(*networks[:2]), "one", 2)
    two = store(tmp_path / "two.h5", dict(reversed(sums_of(*networks[2:]).items())), "two", 3)
    merge_networks([one, two], merge_rule(load_recipe(model)), "recipe", tmp_path / "masks.csv", tmp_path / "maps.h5")
    rows = read_rows(tmp_path / "masks.csv")
    assert [row["img"] for row in rows] == list(NAMES)
    with MapReader(tmp_path / "maps.h5") as maps:
        assert (maps.kind, maps.source, maps.networks, maps.names) == ("maps", "recipe", 5, NAMES)
        for row in rows:
            mean = np.mean([each[row["img"]] for each in networks], axis=0)
            stored = np.floor(mean) if rule == "truncate" else np.rint(mean)
            np.testing.assert_array_equal(maps.read(row["img"]), stored)
            mask = (stored if rule == "truncate" else mean) >= 128
            if rule == "round" and row["img"] == NAMES[0]:
                assert (stored[0, :4] >= 128).tolist() == [False, True, True, True]
                assert mask[0, :4].tolist() == [False, False, False, True]
            assert row["rle_mask"] == rle.encode_as_published(mask)


def test_the_maps_are_written_only_if_wanted(tmp_path):
    one = store(tmp_path / "one.h5", sums_of(random_maps(0)))
    merge_networks([one], merge_rule(load_recipe("unet_vgg11")), "m", tmp_path / "masks.csv", None)
    assert {path.name for path in tmp_path.iterdir()} == {"one.h5", "masks.csv"}


def test_a_model_may_have_several_stores_of_different_images(tmp_path):
    maps = sums_of(random_maps(1))
    first = store(tmp_path / "0.h5", {name: maps[name] for name in NAMES[2:]})
    second = store(tmp_path / "1.h5", {name: maps[name] for name in NAMES[:2]})
    with NetworkSums([first, second]) as sums:
        assert (sums.names, sums.networks) == (NAMES, 1)
        for name in NAMES:
            np.testing.assert_array_equal(sums.read(name), maps[name])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"source": "n", "names": NAMES[:3]}, r"different images: 1 .*b_02\.jpg"),
        ({"names": NAMES[:1]}, r"a_01\.jpg of m is in another"),
        ({"names": ("c_01.jpg",), "networks": 2}, "another number of networks"),
        ({"source": "n", "size_HW": (9, 12)}, "image size"),
    ],
)
def test_stores_that_do_not_belong_together_are_refused(tmp_path, other, message):
    first = store(tmp_path / "first.h5", sums_of(random_maps(0)))
    maps = sums_of(random_maps(1, other.get("names", NAMES), other.get("size_HW", (9, 11))))
    second = store(tmp_path / "second.h5", maps, other.get("source", "m"), other.get("networks", 1))
    with pytest.raises(UserError, match=message):
        NetworkSums([first, second])


def test_maps_are_not_taken_for_sums(tmp_path):
    path = store(tmp_path / "maps.h5", random_maps(0), kind="maps")
    with pytest.raises(UserError, match="holds maps, expected sums"):
        NetworkSums([path])


def test_a_failing_merge_leaves_nothing(tmp_path):
    good = store(tmp_path / "one.h5", sums_of(random_maps(0, size_HW=SMALL.image_size)))
    content = bytearray(good.read_bytes())
    content[-40] ^= 0xFF
    good.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        merge_networks([good], merge_rule(load_recipe("unet_vgg11")), "m", tmp_path / "masks.csv", tmp_path / "maps.h5")
    assert list(tmp_path.iterdir()) == [good]
