import numpy as np

from carvana.catalogue import RECIPES, merged_models, models_of
from carvana.maps.recipe_maps import recipe_maps
from carvana.recipe_files import model_names


def merged(levels, networks, edition="released"):
    models = model_names(edition=edition)
    sums = {model: np.full((2, 3), levels.get(model, 0), np.uint16) for model in models}
    counts = {model: networks.get(model, 1) for model in models}
    return {recipe: int(map_HW[0, 0]) for recipe, map_HW in recipe_maps(sums, counts, edition).items()}


def test_recipes_are_merged_as_their_authors_did():
    levels = dict(zip(models_of("linknet34"), (100, 100, 100, 100, 100, 105), strict=True))
    found = merged(levels | {"unet_vgg11": 605}, {"unet_vgg11": 6})
    assert tuple(found) == RECIPES
    # 605 / 6: albu drops the fraction, asanakoy rounds.
    assert (found["linknet34"], found["unet_vgg11"]) == (100, 101)


def test_every_network_counts_alike():
    first, second, *_ = models_of("linknet34")
    # Sums of 5 networks and of 3; the other four models have one each.
    assert merged({first: 500, second: 700}, {first: 5, second: 3})["linknet34"] == 1200 // 12


def test_a_second_round_takes_its_models_place():
    first, second = models_of("ternausnet", "presented")
    assert merged_models("ternausnet", "presented") == (second,)
    assert merged({first: 9, second: 200}, {}, "presented")["ternausnet"] == 200
