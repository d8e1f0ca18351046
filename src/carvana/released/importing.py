"""Trained networks from a checkpoint instead of a training: ours, or one of the authors' formats."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from torch import Tensor, nn

from carvana.errors import UserError
from carvana.files import sha256_of, whole_file
from carvana.networks.building import build_network
from carvana.recipe import Recipe
from carvana.recipe_files import parse_recipe
from carvana.released.checkpoint import read_checkpoint
from carvana.released.index import read_index
from carvana.released.module_state import module_state
from carvana.released.pickled import ModuleRecord
from carvana.released.refusal import RefusedError, refused
from carvana.weights import fill, load_weights, read_facts, save_weights

OURS: Final = ".safetensors"
# Where the authors' checkpoints have their network, beside epochs, losses and optimizers.
_NETWORK_KEYS: Final = ("model", "state_dict")
# The parts of a recipe that what a network computes depends on, once it is trained.
_COMPUTING: Final = ("network", "input", "prediction")
# The file is the user's, and no training makes it again.
_REMEDY: Final = "put a whole copy of it there, or set weights to trained"


def import_network(
    recipe: Recipe, fold: int, checkpoint: Path, weights: Path, index: Path | None = None
) -> dict[str, Any]:
    """Write the weights of a network that was trained elsewhere.

    Ours are copied byte for byte. Nothing in a checkpoint is run, and its names and shapes must be the network's.

    Args:
        recipe: of the model that the network is of.
        fold: that it counts as.
        checkpoint: `.safetensors` of ours, or a file of PyTorch's.
        weights: the .safetensors to write.
        index: what the folder that the checkpoint is of says about it, if it says anything; see `index.Index`.

    Returns:
        What is known of it: its format, and the SHA-256 of the checkpoint and of what was written.

    Raises:
        UserError: the checkpoint is missing, damaged, not what the index says, of another network, model or fold, or it
            asks to run something.
    """
    network = build_network(recipe)
    if not checkpoint.is_file():
        raise UserError(f"{checkpoint} is not there; put the checkpoint there, or set weights to trained")
    if index is not None:
        read_index(index).check(checkpoint, recipe.model, fold)
    if checkpoint.suffix == OURS:
        kind = "safetensors with its recipe"
        _check_ours(recipe, fold, checkpoint, network)
        with whole_file(weights) as partial:
            shutil.copyfile(checkpoint, partial)
    else:
        kind, state = network_state(checkpoint)
        fill(network, state, str(checkpoint))
        facts = {"model": recipe.model, "fold": fold, "checkpoint": checkpoint.name, "sha256": sha256_of(checkpoint)}
        save_weights(weights, network.state_dict(), facts)
    return {
        "checkpoint": checkpoint.name,
        "format": kind,
        "checkpoint_sha256": sha256_of(checkpoint),
        "weights_sha256": sha256_of(weights),
    }


def _check_ours(recipe: Recipe, fold: int, checkpoint: Path, network: nn.Module) -> None:
    facts = read_facts(checkpoint, _REMEDY)
    for fact, expected in {"model": recipe.model, "fold": fold}.items():
        if facts.get(fact) != expected:
            raise UserError(f"{checkpoint} holds the weights of {fact} {facts.get(fact)}, expected {fact} {expected}")
    inside = facts.get("recipe")
    if not isinstance(inside, dict):
        raise UserError(f"{checkpoint} does not say its recipe; files that `snakemake weights` packs do")
    told, ours = (one.model_dump(include=set(_COMPUTING)) for one in (parse_recipe(inside), recipe))
    if differing := [part for part in _COMPUTING if told[part] != ours[part]]:
        raise UserError(
            f"{checkpoint} was made by another recipe: {', '.join(differing)} differ from those of {recipe.model} here"
        )
    load_weights(network, checkpoint, _REMEDY)


def network_state(checkpoint: Path) -> tuple[str, Mapping[str, Tensor]]:
    """The format, in words, and the network's tensors by name, of a file of PyTorch's.

    Raises:
        UserError: as `read_checkpoint`, or it holds no network.
    """
    document = read_checkpoint(checkpoint)
    where = "checkpoint"
    if isinstance(document, dict):
        for key in _NETWORK_KEYS:
            if isinstance(document.get(key), dict | ModuleRecord):
                document, where = document[key], f"checkpoint, entry {key}"
                break
    if isinstance(document, ModuleRecord):
        try:
            return f"{where}, whole module", module_state(document)
        except RefusedError as error:
            raise refused(checkpoint, error) from None
    if isinstance(document, dict) and document and all(map(_is_weight, document.items())):
        return f"{where}, state dict", document
    raise UserError(f"{checkpoint} holds no network: expected a state dict, alone or as {' or '.join(_NETWORK_KEYS)}")


def _is_weight(item: tuple[object, object]) -> bool:
    return isinstance(item[0], str) and isinstance(item[1], Tensor)
