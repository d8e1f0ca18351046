"""The report of a run: one page that explains itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from carvana.data.imageset import ImageSet
from carvana.files import whole_file
from carvana.report import galleries
from carvana.report.costs import costs
from carvana.report.gains import gains
from carvana.report.models import models
from carvana.report.out_of_fold_maps import OutOfFoldMaps
from carvana.report.overview import overview
from carvana.report.page import Section, page
from carvana.report.record import RunRecord

LEAD: Final = (
    "The winning solution of Kaggle's Carvana Image Masking Challenge, made anew: cut cars out of photographs."
    " Scores are Dice coefficients: twice the common pixels of two masks, divided by the sum of their areas; 1 is"
    " perfect. Click a column's header to sort, a picture to see the photograph."
)


def write_report(
    run: RunRecord,
    name: str,
    images: ImageSet,
    maps: OutOfFoldMaps,
    masks: Path,
    commit: str,
    image: str,
    path: Path,
    more: Sequence[Section] = (),
) -> None:
    """Write the page; it needs no other file and no network.

    Args:
        run: what it is about.
        name: of the run.
        images: the training images.
        maps: the out-of-fold maps of the ensemble's models.
        masks: the ensemble's table of masks of the training images.
        commit: that the report is made with.
        image: digest of the container image; empty: none.
        path: the HTML to write.
        more: further sections, before that of the costs.

    Raises:
        UserError: an image, mask or map is missing or damaged.
    """
    drawing = galleries.Drawing(images, maps, galleries.masks_of(masks, run), path.parent)
    parts = (
        overview(run, commit, image),
        models(run),
        gains(run),
        galleries.worst(run, drawing.errors),
        galleries.audit(run, drawing.masks, "mask_audit.csv"),
        *more,
        costs(run),
    )
    with whole_file(path) as partial:
        partial.write_text(page(f"Carvana: run {name}", LEAD, parts), encoding="utf-8")
