"""Are all networks there, each its own, and each the one that its place says?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from carvana.verification.check import Check, equal
from carvana.weights import read_facts

RECIPES: Final = "number of folds of each model in config/recipes, or the configuration's"


def weight_hashes(files: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """SHA-256 by `<model>/fold<k>`, of the files that are there.

    Args:
        files: weights by model, in the order of the folds.
    """
    hashes = {}
    for model, paths in files.items():
        for fold, path in enumerate(paths):
            if path.is_file():
                with path.open("rb") as stream:
                    hashes[f"{model}/fold{fold}"] = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashes


def check_weights(files: Mapping[str, Sequence[Path]], hashes: Mapping[str, str]) -> list[Check]:
    """Number, distinctness and identity of the networks.

    Args:
        files: weights by model, in the order of the folds.
        hashes: see `weight_hashes`.

    Raises:
        UserError: a file is no whole .safetensors file.
    """
    expected = sum(map(len, files.values()))
    named = [
        read_facts(path).items() >= {"model": model, "fold": fold}.items()
        for model, paths in files.items()
        for fold, path in enumerate(paths)
        if path.is_file()
    ]
    same = "no two networks have the same bytes"
    says = "each file says which model and fold it was trained as"
    return [
        equal("weights", "number of networks", expected, len(hashes), RECIPES),
        equal("weights", "different SHA-256", expected, len(set(hashes.values())), same),
        equal("weights", "of their model and fold", expected, sum(named), says),
    ]
