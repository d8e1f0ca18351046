"""Where each model's networks come from, trained by this run or imported from checkpoints; and which of them it has."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from carvana.catalogue import recipe_of
from carvana.errors import UserError
from carvana.planning.options import option
from carvana.planning.run import Run
from carvana.reading import read_yaml
from carvana.released import index


@dataclass(frozen=True)
class Origins:
    """The configuration's sections `weights` and `released`, and what follows from them."""

    run: Run

    def is_imported(self, model: str) -> bool:
        """Whether the model's networks are imported."""
        weights: str | Mapping[str, str] = self.run.config["weights"]
        origin = weights if isinstance(weights, str) else weights.get(model)
        return origin == index.IMPORTED

    @property
    def imported(self) -> tuple[str, ...]:
        """The models whose networks are imported."""
        return tuple(model for model in self.run.models if self.is_imported(model))

    @property
    def trained(self) -> tuple[str, ...]:
        """The models whose networks are trained here."""
        return tuple(model for model in self.run.models if not self.is_imported(model))

    @property
    def folder(self) -> Path:
        """Where the checkpoints lie."""
        return Path(self.run.config["released"]["folder"])

    def check(self, number_of_folds: Mapping[str, int]) -> None:
        """Stop where the configuration asks for what there is not.

        Args:
            number_of_folds: by model of the edition.

        Raises:
            UserError: a section names no model of the edition, or a model no fold that it has; or checkpoints are
                missing, or lie where the run packs its own.
        """
        if self.imported and self.folder.absolute().is_relative_to((self.run.results / "weights").absolute()):
            raise UserError(
                f"released.folder is {self.folder}, which this run packs itself: give the run that imports from it a"
                " name of its own (run), or name a copy of the folder"
            )
        weights = self.run.config["weights"]
        named = {} if isinstance(weights, str) else weights
        for section, names in (("weights", named), ("released.folds", self.run.config["released"]["folds"])):
            if unknown := sorted(map(str, set(names) - number_of_folds.keys())):
                raise UserError(
                    f"{section}: no model {unknown[0]} in the {self.run.edition} edition; the models are"
                    f" {', '.join(number_of_folds)}"
                )
        for model, folds in self.run.config["released"]["folds"].items():
            if not self.is_imported(model):
                raise UserError(f"released.folds.{model}: it is trained here; set weights to {{{model}: released}}")
            if len(set(map(int, folds))) < len(folds):
                raise UserError(f"released.folds.{model}: a fold is named twice; name each once")
            if wrong := [fold for fold in map(int, folds) if fold >= number_of_folds[model]]:
                raise UserError(f"released.folds.{model}: no fold {wrong[0]}; it has 0 to {number_of_folds[model] - 1}")

        # Snakemake would take a network that was trained here for the imported one.
        for model in self.imported:
            for fold in self.some_folds(model) or range(number_of_folds[model]):
                if not self._was_imported(model, fold):
                    self.checkpoint(model, fold)

    def _was_imported(self, model: str, fold: int) -> bool:
        """Whether the run has this network, imported before; its checkpoint need not be there any more."""
        with contextlib.suppress(OSError, TypeError, LookupError, AttributeError, ValueError, yaml.YAMLError):
            record = read_yaml(self.run.results / f"models/{model}/fold{fold}/recipe.yaml")
            return bool(record["run"]["weights"] == index.IMPORTED)
        return False

    def some_folds(self, model: str) -> tuple[int, ...] | None:
        """The folds of the networks that the run has, where it has some only; none: it has all."""
        folds = self.run.config["released"]["folds"].get(model) if self.is_imported(model) else None
        return None if folds is None else tuple(sorted(map(int, folds)))

    def checkpoint(self, model: str, fold: int) -> Path:
        """The file that a network is imported from: ours, or the authors'.

        Raises:
            UserError: there is none.
        """
        candidates = [self.folder / index.file_of(model, fold), self.folder / self._authors_name(model, fold)]
        for path in candidates:
            if path.is_file():
                return path
        if self._is_published(model):
            return self.folder / str(self.run.published["published_checkpoint"]["file"])
        raise UserError(
            f"weights of {model} are to be imported, but there is neither {candidates[0]} nor {candidates[1]}; set"
            " released.folder to where they lie, or weights to trained"
        )

    def _authors_name(self, model: str, fold: int) -> str:
        recipe = recipe_of(model, self.run.edition)
        name: str = self.run.published["checkpoints"][recipe]
        return name.format(variant=model.removeprefix(f"{recipe}_"), fold=fold)

    def _is_published(self, model: str) -> bool:
        """Whether the authors' only published checkpoint can be meant: it is one network."""
        folds = self.some_folds(model)
        return model == self.run.published["published_checkpoint"]["recipe"] and folds is not None and len(folds) == 1

    @property
    def published_receipt(self) -> Path:
        """The receipt of the published checkpoint."""
        return self.run.results / f"download/{self.run.published['published_checkpoint']['file']}.json"

    def inputs(self, model: str, fold: int) -> list[str]:
        """What the import of a network waits for: its file, or the receipt of the published one; and the index."""
        path = self.checkpoint(model, fold)
        fetched = path.name == self.run.published["published_checkpoint"]["file"]
        return [str(self.published_receipt if fetched else path), *map(str, self._index_of(path))]

    def _index_of(self, path: Path) -> list[Path]:
        """The index that speaks of this file, if there is one."""
        described = path.suffix == ".safetensors" and (self.folder / index.NAME).is_file()
        return [self.folder / index.NAME] if described else []

    def arguments(self, model: str, fold: int) -> str:
        """The arguments of import_weights.py that say what is imported."""
        path = self.checkpoint(model, fold)
        indices = [option("index", one) for one in self._index_of(path)]
        return " ".join([option("checkpoint", path), *indices, self.networks_argument(model)]).rstrip()

    def networks_argument(self, model: str) -> str:
        """The argument that says which folds' networks there are, where these are not all."""
        folds = self.some_folds(model)
        return option("networks", *folds) if folds else ""

    @cached_property
    def _index(self) -> index.Index | None:
        path = self.folder / index.NAME
        return index.read_index(path) if path.is_file() else None

    def folds_argument(self, model: str, scheme: str) -> str:
        """The argument of validate.py that says which folds an imported model was trained with, where that is known."""
        known = self._index.folds.get(scheme) if self.is_imported(model) and self._index else None
        return option("trained-with", known) if known else ""

    def notes(self, models: Sequence[str], number_of_folds: Mapping[str, int]) -> list[str]:
        """What every table must say of scores that these models have a part in."""
        notes = []
        for model in models:
            if not self.is_imported(model):
                continue
            notes.append(f"{model}: released weights" + ("" if self._index else ", whose folds are taken on trust"))
            if (folds := self.some_folds(model)) is not None:
                of = f"fold {folds[0]}" if len(folds) == 1 else f"folds {', '.join(map(str, folds))}"
                notes.append(f"{model}: {len(folds)} of {number_of_folds[model]} networks ({of})")
        return notes
