"""Does the code still compute what the published programs computed? docs/conformance.md, where it is of this code."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from carvana.catalogue import RECIPES
from carvana.errors import UserError
from carvana.provenance import modules_digest, package_versions, recipe_digest
from carvana.recipe import Recipe
from carvana.recipe_files import load_recipe, model_names
from carvana.verification.check import Check, equal

SECTIONS: Final = (*RECIPES, "ensemble")
SOURCE: Final = "golden values of the winners' published programs (docs/conformance.md)"
AGAIN: Final = "what docs/conformance.md was measured with; `make conformance` measures anew"

# Beside the modules that each recipe names: what the golden tests call, and what trains and predicts by it.
_MODULES: Final = (
    "carvana.folds",
    "carvana.networks.building",
    "carvana.networks.initialisation",
    "carvana.training.split",
    "carvana.training.batches",
    "carvana.training.loading",
    "carvana.training.loop",
    "carvana.training.slices",
    "carvana.training.validation",
    "carvana.training.run",
    "carvana.prediction.maps",
    "carvana.prediction.networks",
    "carvana.prediction.pipeline",
    "carvana.prediction.predict",
    "carvana.prediction.validate",
    "carvana.maps.combine",
    "carvana.maps.ensemble_masks",
)
_PACKAGES: Final = re.compile(r"^Measured with Python \S+ on \S+, (.*)\.$", re.MULTILINE)
_CODE: Final = re.compile(r"^Code: `([0-9a-f]{16})`\.$", re.MULTILINE)


def measured_code() -> str:
    """Digest of the code and the recipes' values that the golden tests compare, 16 hexadecimal digits."""
    recipes = [load_recipe(model) for model in model_names()]
    named = {module for recipe in recipes for module in recipe.modules.model_dump().values()}
    values = [recipe_digest(model, tuple(Recipe.model_fields)) for model in model_names()]
    text = " ".join([modules_digest(tuple(sorted({*named, *_MODULES}))), *values])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def measuring_packages() -> str:
    """The packages that touch numbers with their releases, as the document has them."""
    return ", ".join(package.replace("=", " ") for package in package_versions().split())


def check_conformance(document: Path) -> list[Check]:
    """Every section's properties, and that they were measured on the present code with the present packages.

    Args:
        document: docs/conformance.md.

    Raises:
        UserError: there is no such document.
    """
    try:
        text = document.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{document}: {error.strerror}; `make conformance` measures it") from None
    parts = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    checks = []
    for section in SECTIONS:
        verdicts = re.findall(r"^\|.*\| (\S+) \|$", parts.get(section, ""), re.MULTILINE)
        verdicts = [verdict for verdict in verdicts if verdict != "verdict"]
        held = sum(verdict == "holds" for verdict in verdicts)
        # A section without a row holds nothing.
        checks.append(equal("conformance", f"{section}: properties", max(len(verdicts), 1), held, SOURCE))
    for what, stated, present in (("packages", _PACKAGES, measuring_packages()), ("code", _CODE, measured_code())):
        found = stated.search(text)
        checks.append(equal("conformance", what, found[1] if found else "not stated", present, AGAIN))
    return checks
