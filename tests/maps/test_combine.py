import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from carvana import rle
from carvana.errors import UserError
from carvana.geometry import SMALL
from carvana.maps import ensemble
from carvana.maps.combine import NetworkSums, ensemble_recipes, merge_networks
from carvana.maps.mapstore import MapReader, MapWriter
from carvana.maps.merging import merge_rule
from carvana.pseudo_labels.candidates import read_candidates
from carvana.pseudo_labels.doubt import doubt_of
from carvana.recipe_files import load_recipe

NAMES = ("a_01.jpg", "a_02.jpg", "b_01.jpg", "b_02.jpg")
RECIPES = ("ternausnet", "linknet34", "unet_scratch", "unet_vgg11")


def store(path, maps, source="m", networks=1, kind="sums"):
    size_HW = next(iter(maps.values())).shape
    with MapWriter(path, list(maps), size_HW, kind, source, networks) as writer:
        for name, map_HW in maps.items():
            writer.write(name, map_HW)
    return path


def random_maps(seed, names=NAMES, size_HW=(9, 11)):
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, 256, size_HW, dtype=np.uint8) for name in names}


def sums_of(*maps):
    return {name: np.sum([each[name] for each in maps], axis=0, dtype=np.uint16) for name in maps[0]}


def read_table(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(("model", "rule"), [("linknet34_fma_s44", "truncate"), ("unet_vgg11", "round")])
def test_merging_models_equals_merging_all_their_networks(tmp_path, model, rule):
    networks = [random_maps(seed) for seed in range(5)]
    one = store(tmp_path / "one.h5", sums_of(*networks[:2]), "one", 2)
    two = store(tmp_path / "two.h5", dict(reversed(sums_of(*networks[2:]).items())), "two", 3)
    merge_networks([one, two], merge_rule(load_recipe(model)), "recipe", tmp_path / "masks.csv", tmp_path / "maps.h5")
    rows = read_table(tmp_path / "masks.csv")
    assert [row["img"] for row in rows] == list(NAMES)
    with MapReader(tmp_path / "maps.h5") as maps:
        assert (maps.kind, maps.source, maps.networks, maps.names) == ("maps", "recipe", 5, NAMES)
        for row in rows:
            mean = np.mean([each[row["img"]] for each in networks], axis=0)
            stored = np.floor(mean) if rule == "truncate" else np.rint(mean)
            np.testing.assert_array_equal(maps.read(row["img"]), stored)
            mask = (stored if rule == "truncate" else mean) >= 128
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


def recipe_stores(folder, maps_by_recipe):
    return {recipe: store(folder / f"{recipe}.h5", maps, recipe, 5, "maps") for recipe, maps in maps_by_recipe.items()}


def test_the_ensemble_of_four_recipes(tmp_path):
    maps = {recipe: random_maps(seed, NAMES[:3], SMALL.image_size) for seed, recipe in enumerate(RECIPES)}
    band = np.zeros(SMALL.image_size, np.uint8)
    band[10:20, 25:70] = 100
    band[20:50, 25:70] = 255
    maps["linknet34"] |= {"a_01.jpg": band * 0, "a_02.jpg": band, "b_01.jpg": np.roll(band, -10, axis=0)}
    report = ensemble_recipes(recipe_stores(tmp_path, maps), SMALL, tmp_path / "masks.csv")
    assert (report.images, report.fired, report.top_clamped) == (3, ["a_02.jpg", "b_01.jpg"], ["b_01.jpg"])
    rows = read_table(tmp_path / "masks.csv")
    assert [(row["img"], row["fired"]) for row in rows] == [("a_01.jpg", "0"), ("a_02.jpg", "1"), ("b_01.jpg", "1")]
    mean = np.mean([maps[recipe]["a_01.jpg"] for recipe in RECIPES], axis=0)
    assert rows[0]["rle_mask"] == rle.encode_as_published(mean >= ensemble.THRESHOLD)
    assert rle.decode(rows[1]["rle_mask"], SMALL.image_size)[13:20, 25:70].all()


def test_the_ensemble_refuses_maps_of_another_geometry_or_of_other_images(tmp_path):
    maps = {recipe: random_maps(0, NAMES, SMALL.image_size) for recipe in RECIPES}
    maps["unet_vgg11"] = random_maps(0)
    with pytest.raises(UserError, match=r"unet_vgg11\.h5: maps of \(9, 11\)"):
        ensemble_recipes(recipe_stores(tmp_path, maps), SMALL, tmp_path / "masks.csv")
    maps["unet_vgg11"] = random_maps(0, NAMES[:3], SMALL.image_size)
    with pytest.raises(UserError, match="ternausnet and unet_vgg11 have maps of different images"):
        ensemble_recipes(recipe_stores(tmp_path, maps), SMALL, tmp_path / "masks.csv")
    assert not (tmp_path / "masks.csv").exists()


def test_the_ensemble_refuses_one_recipes_maps_as_anothers(tmp_path):
    stores = recipe_stores(tmp_path, {recipe: random_maps(0, NAMES, SMALL.image_size) for recipe in RECIPES})
    exchanged = stores | {"linknet34": stores["ternausnet"], "ternausnet": stores["linknet34"]}
    with pytest.raises(UserError, match=r"linknet34\.h5: maps of linknet34, given as ternausnet's"):
        ensemble_recipes(exchanged, SMALL, tmp_path / "masks.csv")
    assert not (tmp_path / "masks.csv").exists()


def test_recipes_with_maps_of_different_images_where_that_is_wanted(tmp_path):
    maps = {recipe: random_maps(seed, NAMES, SMALL.image_size) for seed, recipe in enumerate(RECIPES)}
    maps["ternausnet"] = {name: map_HW for name, map_HW in maps["ternausnet"].items() if name != "a_01.jpg"}
    report = ensemble_recipes(recipe_stores(tmp_path, maps), SMALL, tmp_path / "masks.csv", common=True)
    assert report.images == 3
    assert [row["img"] for row in read_table(tmp_path / "masks.csv")] == ["a_02.jpg", "b_01.jpg", "b_02.jpg"]
    maps["ternausnet"] = random_maps(0, ("c_01.jpg",), SMALL.image_size)
    with pytest.raises(UserError, match=r"have no image in common: choose released\.folds that share cars"):
        ensemble_recipes(recipe_stores(tmp_path, maps), SMALL, tmp_path / "none.csv", common=True)


def test_the_ensemble_as_a_teacher_says_how_sure_its_mean_map_is(tmp_path):
    maps = {recipe: random_maps(seed, NAMES[:2], SMALL.image_size) for seed, recipe in enumerate(RECIPES)}
    # Sure everywhere, so that the unreliable-top rule does not act.
    maps["linknet34"] = {
        name: np.where(map_HW > 127, 255, 0).astype(np.uint8) for name, map_HW in maps["linknet34"].items()
    }
    stores = recipe_stores(tmp_path, maps)
    arguments = [part for recipe, path in stores.items() for part in (f"--{recipe.replace('_', '-')}", path)]
    arguments += ["--geometry", "small", "--out", tmp_path / "masks.csv"]
    arguments += ["--candidates", tmp_path / "candidates.csv", "--unclear", 26, 229]
    script = Path(__file__).parents[2] / "workflow/scripts/ensemble.py"
    subprocess.run([sys.executable, str(script), *map(str, arguments)], check=True)
    for row, found in zip(
        read_table(tmp_path / "masks.csv"), read_candidates(tmp_path / "candidates.csv"), strict=True
    ):
        mean_HW = np.mean([maps[recipe][row["img"]] for recipe in RECIPES], axis=0)
        mask_HW = mean_HW >= 128
        # The published submissions have two pixels forced off; a training mask has not.
        assert (found.img, found.rle_mask) == (row["img"], rle.encode(mask_HW))
        assert found.doubt == doubt_of(mean_HW.astype(np.float32), mask_HW, (26, 229))
