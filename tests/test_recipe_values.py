"""Values that nothing else would miss were they wrong: a small run trains with any. Sources: config/recipes."""

import yaml

from carvana.recipe_files import load_recipe, model_names, resolved_document
from carvana.revision import ROOT

RELEASED = [load_recipe(model) for model in model_names()]


def test_folds_and_seeds_of_the_nine_models():
    assert {recipe.model: (recipe.folds.scheme, recipe.folds.count, recipe.seed) for recipe in RELEASED} == {
        "ternausnet": ("f04a", 5, None),
        "linknet34_fma_s44": ("fma", 5, 44),
        "linknet34_fma_s88": ("fma", 5, 88),
        "linknet34_fma_noseed": ("fma", 5, None),
        "linknet34_f04a_s44": ("f04a", 5, 44),
        "linknet34_f04a_clahe": ("f04a", 5, None),
        "linknet34_f04a_clahe_rmsprop": ("f04a", 5, None),
        "unet_scratch": ("random7", 7, 1993),
        "unet_vgg11": ("area7", 7, 1993),
    }


def test_which_epoch_is_chosen():
    # Sets: all variants of a recipe have one answer.
    assert {(recipe.recipe, recipe.selection.metric, recipe.selection.goal) for recipe in RELEASED} == {
        ("ternausnet", "loss", "lowest"),
        ("linknet34", "loss", "lowest"),
        ("unet_scratch", "dice", "highest"),
        ("unet_vgg11", "dice", "highest"),
    }


def test_validation_batches():
    # The loss, and batch statistics, depend on what is in a batch.
    assert {(recipe.recipe, recipe.validation.batch_size) for recipe in RELEASED} == {
        ("ternausnet", 4),
        ("linknet34", 4),
        ("unet_scratch", 2),
        ("unet_vgg11", 2),
    }


def test_own_submissions():
    assert {(recipe.recipe, recipe.submission.of, recipe.submission.threshold) for recipe in RELEASED} == {
        ("ternausnet", "merged", 128),
        ("linknet34", "merged", 128),
        ("unet_scratch", "mean", 128),
        ("unet_vgg11", "mean", 128),
    }


def test_windows_of_the_unets_weight_map():
    # By mask height. Runs have masks of 128 and 1024 rows only.
    for model in ("unet_scratch", "unet_vgg11"):
        assert load_recipe(model).model_dump()["loss"]["kernels"] == {128: 11, 256: 21, 512: 21, 1024: 41, 1280: 51}


def test_epsilon_of_ternausnets_loss():
    # So small that it matters for empty masks alone.
    assert load_recipe("ternausnet").model_dump()["loss"]["epsilon"] == 1e-15


def test_levels_that_a_pseudo_label_is_unclear_at():
    # Ours: probabilities from 0.1 to 0.9, of 255 levels.
    recipe = load_recipe("ternausnet_pseudo", edition="presented")
    assert recipe.model_dump()["pseudo_labels"]["unclear"] == (26, 229)
    document = resolved_document("ternausnet_pseudo", edition="presented")
    assert document["pseudo_labels"]["unclear"]["source"] == "ours"


def test_published_place_and_costs():
    published = yaml.safe_load((ROOT / "config/published.yaml").read_text())
    assert (published["place"]["value"], published["place"]["of"]) == (1, 735)
    assert {what: published["costs"][what]["value"] for what in ("training", "prediction")} == {
        "training": 2140,  # hours on one Titan X Pascal
        "prediction": 320,
    }


def test_published_names_of_encoders_and_of_the_one_checkpoint():
    published = yaml.safe_load((ROOT / "config/published.yaml").read_text())
    # torchvision's files of 2017, not those that its names lead to today.
    assert published["encoders"] == {"vgg11": "vgg11-bbd30ac9.pth", "resnet34": "resnet34-333f7ec4.pth"}
    assert published["published_checkpoint"] == {
        "recipe": "ternausnet",
        "file": "TernausNet.pt",
        "git_blob": "24ae483e026ee8224aa03f1d2b712139a3b0e8b3",
    }
    url = yaml.safe_load((ROOT / "config/config.yaml").read_text())["released"]["url"]
    assert url.endswith("/ternaus/TernausNet/14f4b469f1ddc3acde2374e8161f4a1b8173cd35/weights/TernausNet.pt")
