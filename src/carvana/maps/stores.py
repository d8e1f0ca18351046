"""Stores of maps that are read together: of the right kind, and of the same images."""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path

from carvana.errors import UserError
from carvana.maps.mapstore import Kind, MapReader


def open_store(path: Path, kind: Kind) -> MapReader:
    """Open a store of this kind.

    Raises:
        UserError: it is missing, damaged or of the other kind.
    """
    store = MapReader(path)
    if store.kind != kind:
        raise UserError(f"{path}: holds {store.kind}, expected {kind}; give the file that the right step made")
    return store


def check_same_images(images_of: Mapping[str, Set[str]]) -> None:
    """Stop unless all have the same images.

    Args:
        images_of: image names by what has them, such as a model or a recipe.

    Raises:
        UserError: one has images that the first has not, or the reverse.
    """
    (first, expected), *others = images_of.items()
    for other, images in others:
        if odd := sorted(expected ^ images):
            raise UserError(
                f"{first} and {other} have maps of different images: {len(odd)} are with one of them only"
                f" ({', '.join(odd[:10])}); make both from the same manifest"
            )


def images_of_all(images_of: Mapping[str, Set[str]], common: bool) -> tuple[str, ...]:
    """The images to join maps of, sorted.

    Args:
        images_of: image names by what has maps of them.
        common: whether one may have images that another has not; those that all have count.

    Raises:
        UserError: they have different images, or none in common.
    """
    if not common:
        check_same_images(images_of)
    names = sorted(set.intersection(*map(set, images_of.values())))
    if not names:
        raise UserError(f"{' and '.join(images_of)} have no image in common: choose released.folds that share cars")
    return tuple(names)
