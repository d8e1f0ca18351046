"""Recipe files: what the winners did for each model, in each edition, and where every value is known from.

A file holds `{value: ..., source: ...}` wherever it states a value. `load_recipe` gives the values, typed;
`resolved_document` gives values and sources together, for the record that goes with the weights. An edition's file,
presented.yaml, holds only what it changes in the released recipes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import ValidationError

from carvana.errors import UserError
from carvana.recipe import Recipe
from carvana.yaml_text import parsed

RECIPE_FOLDER: Final = Path(__file__).resolve().parents[2] / "config" / "recipes"

# `released`: the recipes of the published scripts. `presented`: with the values of the team's slides laid over them.
Edition = Literal["released", "presented"]
RELEASED: Final[Edition] = "released"
EDITIONS: Final[tuple[Edition, ...]] = get_args(Edition)

# `script`: the released 2017 programs. `slides`: the team's presentation. `assumption`: neither says it.
# `ours`: a choice of this reproduction where the authors published nothing.
SOURCES: Final = frozenset({"script", "slides", "assumption", "ours"})


def _is_leaf(node: Any) -> bool:
    return isinstance(node, dict) and node.keys() == {"value", "source"}


def _values(node: Any, path: str) -> Any:
    """The tree without its sources. Raises UserError where a value names no known source."""
    if _is_leaf(node):
        if node["source"] not in SOURCES:
            raise UserError(f"{path}: source {node['source']!r} is not one of {', '.join(sorted(SOURCES))}")
        return node["value"]
    if isinstance(node, dict):
        return {key: _values(child, f"{path}.{key}") for key, child in node.items()}
    if isinstance(node, list):
        return [_values(child, f"{path}[{index}]") for index, child in enumerate(node)]
    raise UserError(f"{path}: write {{value: {node!r}, source: ...}}; every value of a recipe names its source")


def _overlay(base: Any, top: Any) -> Any:
    """`top` laid over `base`: sections are merged key by key, values and lists replaced."""
    if isinstance(base, dict) and isinstance(top, dict) and not _is_leaf(base) and not _is_leaf(top):
        return {**base, **{key: _overlay(base.get(key), child) for key, child in top.items()}}
    return top


@cache
def _documents(directory: Path, edition: Edition) -> dict[str, dict[str, Any]]:
    """Model name -> its recipe with values and sources.

    The edition's values are laid over the recipe's, and the variant's own over both.
    """
    changes = _edition_changes(directory, edition)
    documents: dict[str, dict[str, Any]] = {}
    for path in sorted(directory.glob("*.yaml")):
        if path.stem in EDITIONS:
            continue
        document = _read(path)
        document = _overlay(document, changes.pop(document["recipe"], {}))
        head = {key: document.pop(key) for key in ("recipe", "member", "modules")}
        for model, variant in document.pop("models").items():
            documents[model] = {**head, "model": model, **_overlay(document, variant or {})}
    if not documents:
        raise UserError(f"no recipe files (*.yaml) in {directory}")
    if changes:
        raise UserError(f"{directory}/{edition}.yaml changes {', '.join(changes)}, which no recipe file is of")
    return documents


def _edition_changes(directory: Path, edition: Edition) -> dict[str, Any]:
    """What the edition's file lays over each recipe; nothing for the released one, which has none."""
    if edition == RELEASED:
        return {}
    changes: dict[str, Any] = _read(directory / f"{edition}.yaml")["recipes"]
    return changes


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = parsed(path.read_text(encoding="utf-8"), str(path))
    return content


def model_names(edition: Edition = RELEASED) -> tuple[str, ...]:
    """The names of all models, in alphabetical order of recipe file and in file order within it."""
    return tuple(_documents(RECIPE_FOLDER, edition))


def all_model_names() -> tuple[str, ...]:
    """The names of the models of all editions, each once."""
    return tuple(dict.fromkeys(model for edition in EDITIONS for model in model_names(edition=edition)))


def editions_of(model: str) -> tuple[Edition, ...]:
    """The editions that have a model of this name."""
    return tuple(edition for edition in EDITIONS if model in model_names(edition=edition))


def resolved_document(model: str, directory: Path = RECIPE_FOLDER, edition: Edition = RELEASED) -> dict[str, Any]:
    """The recipe of `model` with a source for every value, ready to be written as YAML. Raises UserError."""
    documents = _documents(directory, edition)
    if model not in documents:
        raise UserError(f"no model {model!r} in the {edition} edition; the models are {', '.join(documents)}")
    return documents[model]


@cache
def load_recipe(model: str, directory: Path = RECIPE_FOLDER, edition: Edition = RELEASED) -> Recipe:
    """The validated recipe of `model`. Raises UserError naming the file's value that is wrong, and how."""
    return parse_recipe(resolved_document(model, directory, edition))


def parse_recipe(document: Mapping[str, Any]) -> Recipe:
    """The recipe that a resolved document states; further sections of it, such as a training's `run`, do not count.

    Raises:
        UserError: a value is missing, wrong or without a known source.
    """
    head = {key: document.get(key) for key in ("recipe", "member", "model", "modules")}
    model = head["model"]
    body = {
        key: _values(child, f"{model}.{key}") for key, child in document.items() if key not in head and key != "run"
    }
    try:
        return Recipe.model_validate({**head, **body})
    except ValidationError as error:
        lines = [f"{model}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise UserError("bad recipe: " + "; ".join(lines)) from None
