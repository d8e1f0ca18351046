"""The network that a recipe names: a change in one network's module touches its own recipes only."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from torch import nn

from carvana.recipe import Recipe


def build_network(recipe: Recipe) -> nn.Module:
    """The recipe's network, its weights not yet drawn or loaded."""
    return cast(nn.Module, import_module(recipe.modules.network).build(recipe.network.num_filters))
