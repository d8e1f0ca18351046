"""What the out-of-fold maps of one training image say: of every part of the ensemble, and of the true mask itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from carvana.arrays import Map, Mask
from carvana.catalogue import MEMBERS, RECIPES
from carvana.data.imageset import ImageSet
from carvana.files import write_table
from carvana.geometry import Geometry
from carvana.maps import postprocess
from carvana.maps.ensemble import mean, mean_reaches
from carvana.maps.recipe_maps import recipe_maps
from carvana.maps.threshold import THRESHOLD
from carvana.metrics import dice
from carvana.overlap import overlapped
from carvana.reading import read_rows, readable
from carvana.recipe_files import Edition
from carvana.report.out_of_fold_maps import OutOfFoldMaps


@dataclass(frozen=True)
class ImageAnalysis:
    """One training image; the fields are the columns of the table. Dice coefficients are out of fold, 0..1.

    Attributes:
        img: name.
        car: id.
        view: 1..16.
        area_share: true car pixels per pixel of the image.
        rule_acted: 1 where the unreliable-top rule acted, else 0.
        ensemble: Dice of the ensemble as submitted.
        plain_mean: of the mean of the four recipes' maps, without the rule.
        ternausnet: of the recipe's merged map alone; so the next three.
        linknet34: see `ternausnet`.
        unet_scratch: see `ternausnet`.
        unet_vgg11: see `ternausnet`.
        without_ternaus: of the mean without the member's maps, without the rule; so the next two.
        without_albu: see `without_ternaus`.
        without_asanakoy: see `without_ternaus`.
        disagreement: mean over the pixels of the standard deviation of the models' probabilities, 0..0.5.
        missing: pixels that all models call car and the mask does not.
        extra: pixels that the mask calls car and no model does.
        against: `missing` and `extra` per true car pixel.
    """

    img: str
    car: str
    view: int
    area_share: float
    rule_acted: int
    ensemble: float
    plain_mean: float
    ternausnet: float
    linknet34: float
    unet_scratch: float
    unet_vgg11: float
    without_ternaus: float
    without_albu: float
    without_asanakoy: float
    disagreement: float
    missing: int
    extra: int
    against: float


COLUMNS: Final = tuple(field.name for field in fields(ImageAnalysis))


def disagreement(maps: Mapping[str, Map]) -> NDArray[np.float32]:
    """(H, W) standard deviation of the models' probabilities, 0..0.5."""
    count = len(maps)
    sums_HW = np.zeros(next(iter(maps.values())).shape, np.uint32)
    squares_HW = np.zeros_like(sums_HW)
    for map_HW in maps.values():
        sums_HW += map_HW
        squares_HW += np.square(map_HW, dtype=np.uint32)
    # Whole numbers: where all agree, the difference is exactly 0.
    variance_HW = (count * squares_HW - np.square(sums_HW)).astype(np.float32)
    return (np.sqrt(variance_HW) / (255 * count)).astype(np.float32, copy=False)


def analyse(
    name: str,
    car: str,
    view: int,
    maps: Mapping[str, Map],
    truth_HW: Mask,
    geometry: Geometry,
    edition: Edition,
) -> ImageAnalysis:
    """Analyse one image.

    Args:
        name: of the image.
        car: its car's id.
        view: 1..16.
        maps: (H, W) uint8 out-of-fold map of every model.
        truth_HW: (H, W), car where not 0.
        geometry: of the run.
        edition: of the recipes.
    """
    merged = recipe_maps(maps, dict.fromkeys(maps, 1), edition)
    mean_HW = mean(list(merged.values()))
    submitted = postprocess.apply(mean_HW, merged["linknet34"], geometry)

    def without(member: str) -> float:
        rest = [merged[recipe] for recipe in RECIPES if recipe not in MEMBERS[member]]
        return dice(mean_reaches(np.stack(rest).sum(axis=0, dtype=np.uint16), len(rest), THRESHOLD), truth_HW)

    is_car = truth_HW != 0
    levels = list(maps.values())
    missing = int(np.count_nonzero(~is_car & (np.minimum.reduce(levels) >= THRESHOLD)))
    extra = int(np.count_nonzero(is_car & (np.maximum.reduce(levels) < THRESHOLD)))
    return ImageAnalysis(
        img=name,
        car=car,
        view=view,
        area_share=float(is_car.mean()),
        rule_acted=int(submitted.box is not None),
        ensemble=dice(submitted.mask, truth_HW),
        plain_mean=dice(mean_HW >= THRESHOLD, truth_HW),
        disagreement=float(disagreement(maps).mean()),
        missing=missing,
        extra=extra,
        against=(missing + extra) / max(int(is_car.sum()), 1),
        **{recipe: dice(merged[recipe] >= THRESHOLD, truth_HW) for recipe in RECIPES},
        **{f"without_{member}": without(member) for member in MEMBERS},
    )


def write_analysis(images: ImageSet, maps: OutOfFoldMaps, geometry: Geometry, threads: int, path: Path) -> None:
    """Analyse every training image that has maps into a table, in the manifest's order.

    Args:
        images: the training images.
        maps: their out-of-fold maps.
        geometry: of the run.
        threads: images that are analysed at once.
        path: the CSV to write.

    Raises:
        UserError: a map is damaged, or a mask unreadable.
    """
    by_name = images.manifest.by_name
    names = [name for name in images.manifest.names if name in maps.names]

    def analysed(name: str) -> ImageAnalysis:
        record = by_name[name]
        return analyse(name, record.car, record.view, maps.of(name), images.mask(name), geometry, maps.edition)

    write_table(path, COLUMNS, (astuple(row) for row in overlapped(analysed, names, threads, 2 * threads)))


def read_analysis(path: Path) -> list[ImageAnalysis]:
    """What `write_analysis` wrote. Raises UserError when it is not there or damaged."""
    kinds = {"str": str, "int": int, "float": float}
    convert = {field.name: kinds[str(field.type)] for field in fields(ImageAnalysis)}
    with readable(path, "delete it and run `snakemake report` again"):
        return [ImageAnalysis(**{name: convert[name](row[name]) for name in COLUMNS}) for row in read_rows(path)]
