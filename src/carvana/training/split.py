"""Which images a network is trained on, and which it is judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from carvana.data.manifest import Manifest
from carvana.errors import UserError
from carvana.folds import Folds


@dataclass(frozen=True)
class TrainingImages:
    """What the networks of a run are trained and judged on.

    Attributes:
        manifest: of the training images.
        folds: fold by car.
        pseudo_labelled: test images with predicted masks, which are trained on too.
    """

    manifest: Manifest
    folds: Folds
    pseudo_labelled: Manifest = field(default_factory=lambda: Manifest(()))

    @property
    def together(self) -> Manifest:
        """All of them."""
        return Manifest(tuple(sorted((*self.manifest, *self.pseudo_labelled), key=lambda record: record.name)))


@dataclass(frozen=True)
class Split:
    """The names of one network's training and validation images, each sorted."""

    training: tuple[str, ...]
    validation: tuple[str, ...]


def split(
    manifest: Manifest,
    folds: Mapping[str, int],
    fold: int,
    excluded: Set[str] = frozenset(),
    pseudo_labelled: Sequence[str] = (),
) -> Split:
    """Validate on the cars of `fold`, train on all others but the images of `excluded`, and on `pseudo_labelled` ones,
    which have no fold.

    Raises:
        UserError: a car of the manifest has no fold, or one of the two parts is empty.
    """
    without = [car for car in manifest.cars if car not in folds]
    if without:
        raise UserError(
            f"{len(without)} cars have no fold, {without[0]} first; make the folds again from this manifest"
        )
    training = tuple(record.name for record in manifest if folds[record.car] != fold and record.name not in excluded)
    validation = tuple(record.name for record in manifest if folds[record.car] == fold)
    if not training or not validation:
        left_out = f" besides {len(excluded)} that are excluded" if excluded else ""
        raise UserError(
            f"fold {fold} leaves {len(training)} images to train{left_out} and {len(validation)} to validate on; "
            f"the folds are {', '.join(map(str, sorted(set(folds.values()))))}"
        )
    return Split(tuple(sorted((*training, *pseudo_labelled))), validation)
