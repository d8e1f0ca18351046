"""Which images and masks a folder holds, and what is missing, double or stray."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from carvana.data.names import VIEWS, ImageName, parse_image_name
from carvana.data.visible import visible_entries
from carvana.errors import UserError
from carvana.submission.mask_table import read_masks

_MASK_SUFFIXES: Final = (".gif", ".png")


@dataclass(frozen=True)
class Counts:
    """How many cars and images a complete split has."""

    cars: int
    images: int


def list_images(folder: Path) -> tuple[dict[ImageName, Path], list[str]]:
    """Images by name, sorted, and what else lies in the folder."""
    images, problems = {}, []
    for entry in visible_entries(folder):
        try:
            name = parse_image_name(entry.name)
        except UserError as error:
            problems.append(f"stray file: {error}")
            continue
        if entry.is_file():
            images[name] = Path(entry)
        else:
            problems.append(f"{entry.name}: not a file")
    return images, problems


def list_masks(folder: Path, images: Mapping[ImageName, Path]) -> tuple[dict[ImageName, Path], list[str]]:
    """Masks by their image's name, and what is missing, double or stray."""
    by_stem = {name.mask_stem: name for name in images}
    masks: dict[ImageName, Path] = {}
    problems = []
    for entry in visible_entries(folder):
        path = Path(entry)
        name = by_stem.get(path.stem)
        if name is None or path.suffix not in _MASK_SUFFIXES or not entry.is_file():
            problems.append(f"stray file among the masks: {entry.name} is not the mask of an image that is there")
        elif name in masks:
            problems.append(f"{name}: two masks, {masks[name].name} and {path.name}")
        else:
            masks[name] = path
    problems += [f"{name}: no mask {name.mask_stem}.gif in {folder}" for name in images if name not in masks]
    return masks, problems


def count_problems(images: Iterable[ImageName], expected: Counts | None) -> list[str]:
    """Whether there are as many cars and images as were published, where that is to be."""
    names = list(images)
    found = Counts(len({name.car for name in names}), len(names))
    if expected is None or found == expected:
        return []
    return [
        f"{found.cars:,} cars and {found.images:,} images found,"
        f" the published data set has {expected.cars:,} cars and {expected.images:,} images"
    ]


def view_problems(images: Iterable[ImageName]) -> list[str]:
    """Cars that some view is missing of."""
    views: dict[str, set[int]] = {}
    for name in images:
        views.setdefault(name.car, set()).add(name.view)
    problems = []
    for car, present in views.items():
        missing = [f"{view:02d}" for view in VIEWS if view not in present]
        if missing:
            problems.append(f"car {car}: no image of view {', '.join(missing)}")
    return problems


def submission_problems(images: Iterable[ImageName], table: Path) -> list[str]:
    """Differences between the images and the names that Kaggle wants a mask for.

    Raises:
        UserError: no such table as the submissions are made for, see `mask_table.read_masks`.
    """
    wanted = Counter(name for name, _ in read_masks(table))
    there = {str(name) for name in images}
    return (
        [f"{name}: {count} times in {table.name}" for name, count in sorted(wanted.items()) if count > 1]
        + [f"{name}: in {table.name}, but there is no such image" for name in sorted(wanted.keys() - there)]
        + [f"{name}: not in {table.name}" for name in sorted(there - wanted.keys())]
    )
