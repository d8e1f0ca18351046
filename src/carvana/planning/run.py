"""A run as it is configured: what follows from the configuration alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from carvana.catalogue import MEMBERS, merged_models, models_of
from carvana.config import PRESENTED, SharedFolder
from carvana.reading import read_yaml
from carvana.recipe import Recipe
from carvana.recipe_files import RELEASED, Edition, load_recipe


@dataclass(frozen=True)
class Run:
    """A validated configuration, and the checkout that it is of.

    Attributes:
        config: the configuration.
        root: folder of the checkout.
    """

    config: Mapping[str, Any]
    root: Path

    @property
    def edition(self) -> Edition:
        """Of the recipes."""
        edition: Edition = self.config["edition"]
        return edition

    @property
    def results(self) -> Path:
        """The folder of this run; another edition's lies beside the released one's."""
        suffix = "" if self.edition == RELEASED else PRESENTED
        return Path(self.config["results"], self.config["run"] + suffix)

    def shared(self, folder: SharedFolder) -> Path:
        """A folder beside the runs' own, for what they share."""
        return Path(self.config["results"], folder)

    @property
    def store(self) -> Path:
        """Where what was computed at great cost is kept."""
        return Path(self.config["store"] or self.shared("store"))

    @cached_property
    def published(self) -> dict[str, Any]:
        """The facts of config/published.yaml."""
        facts: dict[str, Any] = read_yaml(self.root / "config" / "published.yaml")
        return facts

    @property
    def synthetic(self) -> bool:
        """Whether the competition is drawn; then the truth of its test images is known."""
        return bool(self.config["data"]["source"] == "synthetic")

    @property
    def random_encoders(self) -> bool:
        """Whether encoders begin at random weights, and not at ImageNet's."""
        return bool(self.config["encoder_weights"]["source"] == "random")

    @property
    def shards(self) -> tuple[str, ...]:
        """The numbers of the shards of the test images, as names have them; the last says how many there are."""
        return tuple(f"{shard:02}" for shard in range(1, self.config["shards"] + 1))

    @property
    def test_parts(self) -> tuple[str, ...]:
        """Names of the shards of the test images."""
        return tuple(f"test-{shard}-of-{self.shards[-1]}" for shard in self.shards)

    def recipe(self, model: str) -> Recipe:
        """The model's recipe."""
        return load_recipe(model, edition=self.edition)

    @property
    def recipes(self) -> tuple[str, ...]:
        """The recipes of the configured members."""
        return tuple(recipe for member in self.config["members"] for recipe in MEMBERS[member])

    @property
    def models(self) -> tuple[str, ...]:
        """The models of the configured members."""
        return tuple(model for recipe in self.recipes for model in models_of(recipe, self.edition))

    @property
    def merged(self) -> tuple[str, ...]:
        """Those of them whose maps the ensemble is made of."""
        return tuple(model for recipe in self.recipes for model in merged_models(recipe, self.edition))

    @property
    def ensembles(self) -> bool:
        """Whether all members are there, so that the ensemble can be made."""
        return set(self.config["members"]) == set(MEMBERS)

    @property
    def quiet_argument(self) -> str:
        """The argument of scripts that leaves progress bars out, where the configuration does."""
        return "--quiet" if self.config["quiet"] else ""

    @property
    def autotune_argument(self) -> str:
        """The argument of scripts that run networks which lets a GPU use whatever is fastest, where that is allowed."""
        return "" if self.config["deterministic"] else "--autotune"
