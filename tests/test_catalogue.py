import pytest

from carvana.catalogue import MEMBERS, RECIPES, SUBMISSIONS, models_of, recipe_of, sections
from carvana.recipe import Modules, Recipe
from carvana.recipe_files import load_recipe, model_names


def test_every_model_belongs_to_one_recipe_and_one_member():
    assert sorted(model for recipe in RECIPES for model in models_of(recipe)) == sorted(model_names())
    assert sorted(recipe for recipes in MEMBERS.values() for recipe in recipes) == sorted(RECIPES)
    for model in model_names():
        assert recipe_of(model) in MEMBERS[load_recipe(model).member]


def test_every_recipe_has_its_member_submission():
    assert SUBMISSIONS == {
        "ternaus": "ternausnet",
        "albu": "linknet34",
        "asanakoy_scratch": "unet_scratch",
        "asanakoy_vgg11": "unet_vgg11",
    }


@pytest.mark.parametrize("script", ["train.py", "predict.py", "validate.py"])
def test_steps_depend_on_sections_that_exist(script):
    found = sections(f"workflow/scripts/{script}")
    assert set(found.values) < set(Recipe.model_fields)
    assert set(found.modules) <= set(Modules.model_fields)


def test_every_section_of_a_recipe_counts_for_some_step():
    # Pseudo-labels count by their content.
    identity = {"recipe", "model", "member", "modules", "folds", "pseudo_labels"}
    merged = {"merge", "submission"}
    counted = {name for script in ("train.py", "predict.py") for name in sections(script).values}
    assert counted | identity | merged == set(Recipe.model_fields)
