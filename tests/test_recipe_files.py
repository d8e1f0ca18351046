import shutil
from pathlib import Path

import pytest
import yaml

from carvana.errors import UserError
from carvana.recipe_files import RECIPE_FOLDER, SOURCES, load_recipe, model_names, resolved_document

MODELS = {
    "ternausnet",
    "linknet34_fma_s44",
    "linknet34_fma_s88",
    "linknet34_fma_noseed",
    "linknet34_f04a_s44",
    "linknet34_f04a_clahe",
    "linknet34_f04a_clahe_rmsprop",
    "unet_scratch",
    "unet_vgg11",
}


def sources(node):
    if isinstance(node, dict) and node.keys() == {"value", "source"}:
        yield node["source"]
    elif isinstance(node, dict):
        for child in node.values():
            yield from sources(child)
    elif isinstance(node, list):
        for child in node:
            yield from sources(child)


def edited(tmp_path: Path, old: str, new: str) -> Path:
    shutil.copytree(RECIPE_FOLDER, tmp_path / "recipes")
    path = tmp_path / "recipes" / "ternausnet.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    return tmp_path / "recipes"


def test_nine_models_and_49_networks():
    assert set(model_names()) == MODELS
    assert sum(load_recipe(model).folds.count for model in MODELS) == 49


@pytest.mark.parametrize("model", sorted(MODELS))
def test_every_value_of_the_resolved_recipe_names_a_known_source(model):
    found = list(sources(resolved_document(model)))
    assert len(found) > 40
    assert set(found) <= SOURCES


CLAHE = {"input.clahe": {"clip_limit": 2.0, "tiles": (8, 8)}}
F04A = {"folds.scheme": "f04a"}


@pytest.mark.parametrize(
    ("variant", "differs"),
    [
        ("fma_s88", {"seed": 88}),
        ("fma_noseed", {"seed": None}),
        ("f04a_s44", F04A),
        ("f04a_clahe", {**F04A, "seed": None, **CLAHE}),
        ("f04a_clahe_rmsprop", {**F04A, "seed": None, **CLAHE, "optimizer.name": "rmsprop"}),
    ],
)
def test_variants_differ_only_in_what_the_authors_varied(variant, differs):
    """From fma_s44: Adam without CLAHE, on the folds fma, with the seed 44."""
    base, other = (values_of(f"linknet34_{name}") for name in ("fma_s44", variant))
    assert (base["seed"], base["folds.scheme"], base["optimizer.name"]) == (44, "fma", "adam")
    assert (base["input.clahe"], base["optimizer.renewed_as"]) == (None, "adam")
    assert base.keys() == other.keys()
    assert {name: other[name] for name in base if base[name] != other[name]} == differs


def values_of(model):
    """Every value of a recipe by its section and name, but for the model's name."""
    found: dict[str, object] = {}
    for section, values in load_recipe(model).model_dump(exclude={"model"}).items():
        if isinstance(values, dict):
            found |= {f"{section}.{name}": value for name, value in values.items()}
        else:
            found[section] = values
    return found


def test_a_wrong_value_is_named(tmp_path):
    directory = edited(tmp_path, "flip_probability: {value: 0.5,", "flip_probability: {value: 1.5,")
    with pytest.raises(
        UserError, match=r"ternausnet\.augmentation\.ternaus\.flip_probability: .*less than or equal to 1"
    ):
        load_recipe("ternausnet", directory)


def test_an_unknown_key_is_named(tmp_path):
    directory = edited(tmp_path, "  drop_last:", "  drop_lats:")
    with pytest.raises(UserError, match=r"training\.drop_last: Field required; .*drop_lats: Extra inputs"):
        load_recipe("ternausnet", directory)


def test_a_value_without_a_source_is_refused(tmp_path):
    directory = edited(tmp_path, "epsilon: {value: 1.0e-15, source: script}", "epsilon: 1.0e-15")
    with pytest.raises(UserError, match=r"loss\.epsilon: write \{value: 1e-15, source"):
        load_recipe("ternausnet", directory)


def test_a_value_that_is_given_twice_is_told(tmp_path):
    directory = edited(tmp_path, "  drop_last:", "  epochs: {value: 51, source: script}\n  drop_last:")
    with pytest.raises(UserError, match=r"ternausnet.yaml: the key epochs is given twice, in line \d+ and line \d+"):
        load_recipe("ternausnet", directory)


def test_an_unknown_model_lists_the_known(tmp_path):
    with pytest.raises(UserError, match="no model 'resnet' in the released edition; the models are linknet34_fma_s44"):
        load_recipe("resnet")


def test_recipe_files_are_plain_yaml():
    assert len([yaml.safe_load(path.read_text()) for path in RECIPE_FOLDER.glob("*.yaml")]) == 5
