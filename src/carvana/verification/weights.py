"""Are all networks there, each its own, and each the one that its place says?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from carvana.files import sha256_of
from carvana.verification.check import Check, equal, unexpected
from carvana.weights import read_facts

FOLDS_SOURCE: Final = "number of folds of each model in config/recipes, or the configuration's"

IMPORTED_SOURCE: Final = "the configuration's sections weights and released"


def weight_hashes(files: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """SHA-256 by `<model>/fold<k>`, of the files that are there.

    Args:
        files: weights by model, each in the folder fold<k> of its fold.
    """
    return {
        f"{model}/{path.parent.name}": sha256_of(path)
        for model, paths in files.items()
        for path in paths
        if path.is_file()
    }


def check_weights(
    files: Mapping[str, Sequence[Path]], hashes: Mapping[str, str], notes: Sequence[str] = ()
) -> list[Check]:
    """Number, distinctness and identity of the networks; and what there is to say of imported ones.

    Args:
        files: weights by model, each in the folder fold<k> of its fold.
        hashes: see `weight_hashes`.
        notes: on models whose networks are not trained here.

    Raises:
        UserError: a file is no whole .safetensors file.
    """
    expected = sum(map(len, files.values()))
    named = [
        read_facts(path).items() >= {"model": model, "fold": int(path.parent.name.removeprefix("fold"))}.items()
        for model, paths in files.items()
        for path in paths
        if path.is_file()
    ]
    same = "no two networks have the same bytes"
    says = "each file says which model and fold it was trained as"
    return [
        equal("weights", "number of networks", expected, len(hashes), FOLDS_SOURCE),
        equal("weights", "different SHA-256", expected, len(set(hashes.values())), same),
        equal("weights", "of their model and fold", expected, sum(named), says),
        *(unexpected("weights", "not as trained here", note, IMPORTED_SOURCE) for note in notes),
    ]
