"""How far the trainings of a run are, from their files alone: while they run, and after they have died."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, Literal

from carvana import keys
from carvana.data.manifest import Manifest, read_manifest
from carvana.errors import UserError
from carvana.exclusion import excluded_from, read_exclusions
from carvana.files import sha256_of
from carvana.folds import CarAreas, assign_folds, folds_digest, mask_areas
from carvana.histories import dice_of, read_history
from carvana.planning.plan import Plan
from carvana.reading import read_json
from carvana.store.store import Entry, Store
from carvana.training.progress_file import PROGRESS
from carvana.training.state_files import newest_values, place_of
from carvana.training.stopwatch import images_per_second

State = Literal["waiting", "running", "interrupted", "done", "imported", "outdated"]


@dataclass(frozen=True)
class Training:
    """One network's training.

    Attributes:
        model: as recipes name it.
        fold: validated on.
        state: what it is doing; outdated: it is done, but not as the configuration, the inputs or the code are now.
        detail: what is known, by name: epoch, epochs, loss, dice, images_per_second, seconds_left, device, place.
    """

    model: str
    fold: int
    state: State
    detail: dict[str, Any]


@dataclass(frozen=True)
class Status:
    """Looks at a run."""

    plan: Plan

    def trainings(self) -> Iterator[Training]:
        """Every training of the run."""
        networks = self.plan.networks
        for model in self.plan.models:
            for fold, weights in zip(networks.folds(model), networks.weights(model), strict=True):
                if self.plan.origins.is_imported(model):
                    yield Training(model, fold, "imported" if Path(weights).exists() else "waiting", {})
                else:
                    yield self._training(model, fold, Path(weights).parent)

    def _training(self, model: str, fold: int, folder: Path) -> Training:
        entries = list(self._entries(model, fold))
        is_there = (folder / "weights.safetensors").exists()
        if is_there and self._is_of(folder, entries):
            return Training(model, fold, "done", _outcome(folder))
        for entry in entries:
            if entry.complete:
                # Another run or checkout made it; this one takes it as soon as it gets there.
                return Training(model, fold, "done", _outcome(entry.folder / "result"))
            values, owner = newest_values(entry.folder), entry.owner
            progress = _json(entry.folder / PROGRESS)
            if owner is not None:
                return Training(model, fold, "running", {**progress, "owner": str(owner)})
            if values is not None:
                best = {"dice": progress.get("dice"), "loss": progress.get("loss"), "epochs": progress.get("epochs")}
                return Training(model, fold, "interrupted", {**best, "place": place_of(values)})
        return Training(model, fold, "outdated", _outcome(folder)) if is_there else Training(model, fold, "waiting", {})

    def _is_of(self, folder: Path, entries: Sequence[Entry]) -> bool:
        """Whether the network in the folder is what one of the entries is for, as far as can be told."""
        key = _json(folder / "timings.json").get("key")
        return not entries or not isinstance(key, str) or key in {entry.key for entry in entries}

    def _entries(self, model: str, fold: int) -> Iterator[Entry]:
        """The entries that a start of this training would find, on either device; none before its inputs are made."""
        plan, config = self.plan, self.plan.config
        recipe = plan.recipe(model)
        with suppress(UserError, FileNotFoundError):
            # Not the run's table of them, which may be of another number than is configured now.
            scheme = plan.folds.of(model)
            folds = assign_folds(scheme, self._areas, plan.folds.number(scheme))
            digest = folds_digest(folds)
            encoder = recipe.network.encoder
            weights = _sha256(plan.encoders.file(encoder)) if encoder and plan.encoders.receipt(model) else None
            added = [
                keys.images_digest(read_manifest(Path(path)), config["geometry"])
                for path in plan.second_round.manifest(model, fold)
            ]
            excluded = excluded_from(self._excluded, self._manifest, folds, fold)
            # With fewer --cores than `threads`, Snakemake gives a job as many; of a GPU's numbers they are no part.
            threads = range(config["threads"], 0, -1)
            for device, used in (("cuda", config["threads"]), *(("cpu", number) for number in threads)):
                common = keys.computing(
                    plan.root / "workflow" / "scripts" / "train.py",
                    model=model,
                    edition=plan.edition,
                    geometry=config["geometry"],
                    precision=config["precision"],
                    device=device,
                    threads=used,
                    autotune=not config["deterministic"],
                )
                facts = keys.training(
                    common,
                    fold=fold,
                    epochs=plan.trainings.epochs(model),
                    images_per_step=plan.trainings.images_per_step(model),
                    seed=config["seed"],
                    images=self._images,
                    folds=digest,
                    encoder_weights=weights,
                    excluded=excluded,
                    pseudo_labels=added[0] if added else None,
                )
                yield Store(plan.store).entry(facts)

    @cached_property
    def _areas(self) -> CarAreas:
        return mask_areas(self._manifest)

    @cached_property
    def _manifest(self) -> Manifest:
        return read_manifest(self.plan.results / "data" / "train.csv")

    @cached_property
    def _images(self) -> str:
        return keys.images_digest(self._manifest, self.plan.config["geometry"])

    @cached_property
    def _excluded(self) -> Set[str]:
        return {
            name for path in self.plan.trainings.exclusions() for name in read_exclusions(Path(path), self._manifest)
        }


# One file is many networks' encoder.
_sha256: Final = cache(sha256_of)


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(read_json(path))
    except (OSError, ValueError):
        return {}


def _outcome(folder: Path) -> dict[str, Any]:
    """Epochs, last loss and best Dice of a finished training."""
    try:
        rows = read_history(folder / "history.csv")
    except (OSError, UserError):
        return {}
    timings, speed = _json(folder / "timings.json"), None
    with suppress(TypeError, KeyError):
        speed = images_per_second(timings["epochs"])
    return {
        "epoch": len(rows),
        "epochs": len(rows),
        "loss": float(rows[-1]["train_loss"]),
        "dice": max(dice_of(rows)),
        "images_per_second": speed,
        "device": timings.get("device_name"),
    }
