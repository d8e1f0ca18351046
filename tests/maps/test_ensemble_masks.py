import subprocess
import sys

import numpy as np
import pytest

from carvana import rle
from carvana.catalogue import RECIPES
from carvana.errors import UserError
from carvana.geometry import SMALL
from carvana.maps.ensemble_masks import ensemble_recipes
from carvana.maps.threshold import THRESHOLD
from carvana.pseudo_labels.candidates import read_candidates
from carvana.pseudo_labels.uncertainty import uncertainty_of
from carvana.reading import read_rows
from tests.maps.stores import NAMES, random_maps, store
from tests.programs import SCRIPTS


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
    rows = read_rows(tmp_path / "masks.csv")
    assert [(row["img"], row["fired"]) for row in rows] == [("a_01.jpg", "0"), ("a_02.jpg", "1"), ("b_01.jpg", "1")]
    mean = np.mean([maps[recipe]["a_01.jpg"] for recipe in RECIPES], axis=0)
    assert rows[0]["rle_mask"] == rle.encode_as_published(mean >= THRESHOLD)
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
    assert [row["img"] for row in read_rows(tmp_path / "masks.csv")] == ["a_02.jpg", "b_01.jpg", "b_02.jpg"]
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
    subprocess.run([sys.executable, SCRIPTS / "ensemble.py", *map(str, arguments)], check=True)
    for row, found in zip(read_rows(tmp_path / "masks.csv"), read_candidates(tmp_path / "candidates.csv"), strict=True):
        mean_HW = np.mean([maps[recipe][row["img"]] for recipe in RECIPES], axis=0)
        mask_HW = mean_HW >= 128
        # The published submissions have two pixels forced off; a training mask has not.
        assert (found.img, found.rle_mask) == (row["img"], rle.encode(mask_HW))
        assert found.uncertainty == uncertainty_of(mean_HW.astype(np.float32), mask_HW, (26, 229))
