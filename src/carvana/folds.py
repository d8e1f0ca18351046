"""Which cars validate which network: the authors' four ways of cutting the training cars into folds.

All 16 views of a car are in one fold. The authors ordered cars by mean mask values; images are of one size, so the
whole numbers of car pixels order them the same way, free of rounding. Equal numbers, which the competition's
data does not have, are ordered by car id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from carvana.arrays import Doubles
from carvana.data.manifest import Manifest
from carvana.errors import UserError
from carvana.files import write_table
from carvana.reading import read_rows, readable

CarAreas = Mapping[str, Mapping[int, int]]
"""Number of car pixels, by car id and view."""

Folds = dict[str, int]
"""Fold (0 .. number of folds - 1) by car id."""

_SIDE_VIEW: Final = 5
_AUTHORS_SEED: Final = 1993
_AREA_BINS: Final = 35


def mask_areas(manifest: Manifest) -> dict[str, dict[int, int]]:
    """Number of car pixels by car and view, from a training manifest.

    Raises:
        UserError: the manifest has images without masks.
    """
    areas: dict[str, dict[int, int]] = {}
    for record in manifest:
        if record.area is None:
            raise UserError(f"{record.name} has no mask: folds are made of training images, give their manifest")
        areas.setdefault(record.car, {})[record.view] = record.area
    return areas


def assign_folds(scheme: str, areas: CarAreas, number: int) -> Folds:
    """Cut the cars into folds by one of `SCHEMES`.

    Args:
        scheme: `f04a`, `fma`, `random7` or `area7`.
        areas: car pixels of every view of every training car.
        number: of folds; the authors' was 5, 5, 7, 7.

    Raises:
        UserError: fewer than two folds, or fewer cars than folds.
    """
    if number < 2:
        raise UserError(
            f"{number} folds: at least 2 are needed, so that a network has cars to train and to validate on"
        )
    if len(areas) < number:
        raise UserError(
            f"{len(areas)} training cars cannot be cut into {number} folds; give more cars or ask for fewer folds"
        )
    return SCHEMES[scheme](areas, number)


def f04a(areas: CarAreas, number: int) -> Folds:
    """Rank by the area in view 05, modulo the number of folds (released albu and ternaus fold table)."""
    return _rank_modulo({car: views[_SIDE_VIEW] for car, views in areas.items()}, number)


def fma(areas: CarAreas, number: int) -> Folds:
    """Rank by the area summed over the views, modulo the number of folds (released albu fold table)."""
    return _rank_modulo(_total_areas(areas), number)


def random7(areas: CarAreas, number: int) -> Folds:
    """Shuffled k-fold over the sorted car ids (released asanakoy script: KFold with seed 1993)."""
    cars = sorted(areas)
    folds = _shuffled_k_fold(len(cars), number, np.random.RandomState(_AUTHORS_SEED))
    return dict(zip(cars, folds.tolist(), strict=True))


def area7(areas: CarAreas, number: int) -> Folds:
    """Stratified on the area summed over the views (released asanakoy script; scikit-learn 0.19's StratifiedKFold).

    That release cuts every class by a shuffled k-fold of its own, all drawing on one generator; a class smaller than
    the number of folds is cut as if it had that many cars. Releases from 0.22 on allocate differently.
    """
    totals = _total_areas(areas)
    cars = sorted(totals)
    classes = _area_classes(np.array([totals[car] for car in cars], dtype=np.float64), number)
    generator = np.random.RandomState(_AUTHORS_SEED)
    folds = np.empty(len(cars), dtype=np.int64)
    for area_class in np.unique(classes):
        members = np.flatnonzero(classes == area_class)
        positions = _shuffled_k_fold(max(len(members), number), number, generator)
        folds[members] = positions[: len(members)]
    return dict(zip(cars, folds.tolist(), strict=True))


SCHEMES: Final[Mapping[str, Callable[[CarAreas, int], Folds]]] = {
    "f04a": f04a,
    "fma": fma,
    "random7": random7,
    "area7": area7,
}


def folds_digest(folds: Mapping[str, int]) -> str:
    r"""SHA-256, in hexadecimal, of the lines `"<car id> <fold>\n"` sorted by car id."""
    lines = "".join(f"{car} {fold}\n" for car, fold in sorted(folds.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def check_digest(folds: Mapping[str, int], published: str) -> None:
    """Stop unless the folds are the published ones.

    Raises:
        UserError: they are not.
    """
    found = folds_digest(folds)
    if found != published:
        raise UserError(
            f"the folds' SHA-256 is {found}, the authors' is {published}: the training masks are not the competition's."
            " Restore train_hq and train_masks, or run without the published digest"
        )


def write_folds(folds: Mapping[str, int], path: Path) -> None:
    """Write CSV with the columns car and fold, sorted by car."""
    write_table(path, ("car", "fold"), sorted(folds.items()))


def read_folds(path: Path) -> Folds:
    """Read what `write_folds` wrote.

    Raises:
        UserError: no such file, or not a table of folds.
    """
    with readable(path, "delete it if it is there, and make the folds again (workflow/scripts/folds.py)"):
        return {row["car"]: int(row["fold"]) for row in read_rows(path)}


def _total_areas(areas: CarAreas) -> dict[str, int]:
    return {car: sum(views.values()) for car, views in areas.items()}


def _rank_modulo(value_by_car: Mapping[str, int], number: int) -> Folds:
    ranked = sorted(value_by_car, key=lambda car: (value_by_car[car], car))
    return {car: rank % number for rank, car in enumerate(ranked)}


def _shuffled_k_fold(size: int, number: int, generator: np.random.RandomState) -> NDArray[np.int64]:
    """Fold of each position, as scikit-learn's `KFold(number, shuffle=True)`: consecutive parts of shuffled positions.

    The first `size % number` parts have one position more.
    """
    shuffled = np.arange(size)
    generator.shuffle(shuffled)
    folds = np.empty(size, dtype=np.int64)
    for fold, part in enumerate(np.array_split(shuffled, number)):
        folds[part] = fold
    return folds


def _area_classes(areas: Doubles, at_least: int) -> NDArray[np.int64]:
    """Class of each area: histogram bins, neighbours joined from the left until they hold `at_least` cars.

    A last class that holds fewer joins the one before. Intervals are open on the left and closed on the right.
    """
    counts, bin_edges = np.histogram(areas, bins=_AREA_BINS)
    edges = [bin_edges[0] - 1]
    in_class = 0
    for count, right_edge in zip(counts[:-1], bin_edges[1:-1], strict=True):
        in_class += count
        if in_class >= at_least:
            edges.append(right_edge)
            in_class = 0
    if in_class + counts[-1] < at_least and len(edges) > 1:
        edges.pop()
    edges.append(bin_edges[-1])
    return np.searchsorted(np.array(edges), areas, side="left") - 1
