"""The sections of the report that show images: where the ensemble is wrong, and where the masks may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from carvana import rle
from carvana.arrays import Image
from carvana.data.imageset import ImageSet
from carvana.picture import PREDICTION_COLOUR, TRUTH_COLOUR
from carvana.report import page
from carvana.report.analysis import ImageAnalysis, disagreement
from carvana.report.audit import suspicious
from carvana.report.group_tables import group_tables
from carvana.report.out_of_fold_maps import OutOfFoldMaps
from carvana.report.page import Section, Tile
from carvana.report.pictures import contours_on, css_colour, data_address, disagreement_picture
from carvana.report.record import RunRecord
from carvana.submission.mask_table import read_masks

SHOWN: Final = 48
KEY: Final = {"true mask": css_colour(TRUTH_COLOUR), "ensemble": css_colour(PREDICTION_COLOUR)}


def worst(run: RunRecord, draw: Callable[[Sequence[ImageAnalysis]], Iterable[Tile]]) -> Section:
    """Where the ensemble is wrong: by group of images, and the worst ones as pictures.

    Args:
        run: the run.
        draw: gives the tiles of images.
    """
    ranked = _lowest(run)
    body = group_tables(run) + page.heading(f"The {len(ranked)} images with the lowest Dice")
    body += page.text(
        "Below each: how far the models' probabilities differ, from dark (not at all) to yellow.", "faint"
    )
    return Section("errors", "Where it is wrong", body + page.key(KEY) + page.tiles(draw(ranked)))


def audit(run: RunRecord, draw: Callable[[Sequence[ImageAnalysis]], Iterable[Tile]], table: str) -> Section:
    """The training masks that all models agree most against.

    Args:
        run: the run.
        draw: gives the tiles of images.
        table: name of the list that can be fed back.
    """
    ranked = [row for row in suspicious(run.images) if row.against][:SHOWN]
    rows = [(row.img, row.against, row.missing, row.extra, row.ensemble) for row in ranked]
    body = page.text(
        "Pixels that every model contradicts, although none of them was trained on the car: mistakes in the mask,"
        " inconsistent labelling, or a tricky case that fools all models alike. Only looking decides which."
    )
    body += page.text(
        f"{table} lists all training images in this order. Write 1 into its column `exclude` for masks that are"
        " wrong, and name it as data.exclude in the configuration: they are then left out of training, not of"
        " validation, and the folds stay as they are."
    )
    body += page.key(KEY) + page.tiles(draw(ranked))
    columns = ("image", "contradicted, per car pixel", "missing pixels", "extra pixels", "ensemble's Dice")
    return Section("audit", "Mask audit", body + page.folded("The numbers", page.table(columns, rows)))


class Drawing:
    """Draws images of a run.

    Args:
        images: the training images.
        maps: their out-of-fold maps.
        masks: the ensemble's, RLE by image name, of every image that is drawn.
        folder: where the page will lie, for its links.
    """

    def __init__(self, images: ImageSet, maps: OutOfFoldMaps, masks: Mapping[str, str], folder: Path) -> None:
        self._images, self._maps, self._masks, self._folder = images, maps, masks, folder

    def errors(self, rows: Sequence[ImageAnalysis]) -> Iterable[Tile]:
        """Contours, and below them the disagreement between models."""
        for row in rows:
            deviation = data_address(disagreement_picture(disagreement(self._maps.of(row.img))))
            caption = f"Dice {row.ensemble:.4f}" + (", unreliable-top rule acted" if row.rule_acted else "")
            yield Tile(row.img, caption, (data_address(self._contours(row.img)), deviation), self._link(row.img))

    def masks(self, rows: Sequence[ImageAnalysis]) -> Iterable[Tile]:
        """Contours."""
        for row in rows:
            caption = f"{row.against:.2%} contradicted: {row.missing:,} missing, {row.extra:,} extra pixels"
            yield Tile(row.img, caption, (data_address(self._contours(row.img)),), self._link(row.img))

    def _contours(self, name: str) -> Image:
        image_HWC = self._images.image(name)
        mask_HW = rle.decode(self._masks[name], image_HWC.shape[:2])
        return contours_on(image_HWC, self._images.mask(name), mask_HW)

    def _link(self, name: str) -> str:
        return page.link(Path(self._images.manifest.by_name[name].file), self._folder)


def masks_of(table: Path, run: RunRecord) -> dict[str, str]:
    """The ensemble's RLE of the images that the galleries show. Raises UserError when the table is damaged."""
    wanted = {row.img for row in (*_lowest(run), *suspicious(run.images)[:SHOWN])}
    return {name: encoded for name, encoded in read_masks(table) if name in wanted}


def _lowest(run: RunRecord) -> list[ImageAnalysis]:
    """The images of the lowest Dice, the lowest first."""
    return sorted(run.images, key=lambda row: (row.ensemble, row.img))[:SHOWN]
