"""A model's trained networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from carvana.errors import UserError
from carvana.networks.building import build_network
from carvana.recipe import Recipe
from carvana.weights import load_weights, read_facts


def load_networks(
    recipe: Recipe, weights: Sequence[Path], device: torch.device, folds: Sequence[int] | None = None
) -> list[nn.Module]:
    """The networks of a model, in evaluation mode on `device`.

    Args:
        recipe: of the model.
        weights: a file for each fold, in the order of the folds.
        device: where the networks go.
        folds: that the files are of; none: all, from 0 on.

    Raises:
        UserError: a file cannot be read, or holds the weights of another network, model or fold.
    """
    numbers = range(len(weights)) if folds is None else folds
    return [_load_network(recipe, path, fold).to(device) for fold, path in zip(numbers, weights, strict=True)]


def _load_network(recipe: Recipe, path: Path, fold: int) -> nn.Module:
    network = build_network(recipe)
    load_weights(network, path)
    # Every variant's and fold's weights have the same names and shapes: only what the file says tells them apart.
    facts = read_facts(path)
    for fact, expected in {"model": recipe.model, "fold": fold}.items():
        if facts.get(fact, expected) != expected:
            raise UserError(
                f"{path} holds the weights of {fact} {facts[fact]}, expected {fact} {expected}:"
                " give one file per fold, in the order of the folds"
            )
    return network.eval()
