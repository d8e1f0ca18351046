"""Who made what: members, recipes, models, submissions; and which parts of a recipe each step depends on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from carvana.errors import UserError
from carvana.recipe_files import RELEASED, Edition, load_recipe, model_names

# Recipes in the order in which the ensemble takes their maps.
RECIPES: Final = ("ternausnet", "linknet34", "unet_scratch", "unet_vgg11")

# Member -> recipes.
MEMBERS: Final = {
    "ternaus": ("ternausnet",),
    "albu": ("linknet34",),
    "asanakoy": ("unet_scratch", "unet_vgg11"),
}

# A member's submission -> the recipe whose masks it holds; Artsiom Sanakoyeu submitted each of his networks.
SUBMISSIONS: Final = {
    "ternaus": "ternausnet",
    "albu": "linknet34",
    "asanakoy_scratch": "unet_scratch",
    "asanakoy_vgg11": "unet_vgg11",
}


@dataclass(frozen=True)
class Sections:
    """The parts of a recipe that a step depends on: of its modules, and of its values."""

    modules: tuple[str, ...]
    values: tuple[str, ...]


TRAINING: Final = Sections(
    ("network", "transforms", "loss", "schedule"),
    (
        "seed",
        "network",
        "input",
        "augmentation",
        "loss",
        "optimizer",
        "schedule",
        "training",
        "validation",
        "selection",
    ),
)
_PREDICTION: Final = Sections(("network", "transforms"), ("network", "input", "prediction"))
_SECTIONS: Final = {
    "train.py": TRAINING,
    "import_weights.py": Sections(("network",), ("network", "input", "prediction")),
    "predict.py": _PREDICTION,
    "validate.py": _PREDICTION,
    "teach.py": Sections(_PREDICTION.modules, (*_PREDICTION.values, "merge", "submission")),
}


def sections(script: str) -> Sections:
    """The parts of a recipe that this script of workflow/scripts depends on."""
    return _SECTIONS[Path(script).name]


def models_of(recipe: str, edition: Edition = RELEASED) -> tuple[str, ...]:
    """The models trained by this recipe, in the recipe file's order."""
    names = model_names(edition=edition)
    return tuple(model for model in names if recipe_of(model, edition) == recipe)


def merged_models(recipe: str, edition: Edition) -> tuple[str, ...]:
    """The models whose maps are merged to the recipe's: all, but for one whose place its second round takes."""
    models = models_of(recipe, edition)
    rounds = [load_recipe(model, edition=edition).pseudo_labels for model in models]
    replaced = {labels.first_round for labels in rounds if labels}
    return tuple(model for model in models if model not in replaced)


def second_round(edition: Edition) -> str | None:
    """The model that is trained on pseudo-labels, where the edition has one. Raises UserError where it has several."""
    found = [model for model in model_names(edition=edition) if load_recipe(model, edition=edition).pseudo_labels]
    if len(found) > 1:
        raise UserError(
            f"the {edition} edition has pseudo-labels for {' and '.join(found)}, and a run has one second round only:"
            " leave the section pseudo_labels to one recipe"
        )
    return found[0] if found else None


def recipe_of(model: str, edition: Edition = RELEASED) -> str:
    """The recipe that the model is trained by."""
    return load_recipe(model, edition=edition).recipe
