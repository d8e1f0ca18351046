"""Pseudo-labels on disk: masks in the competition's format, a manifest that training reads them by, and the ranking."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from carvana import rle
from carvana.data.manifest import ImageRecord, Manifest, write_manifest
from carvana.data.masks import gif_of
from carvana.data.names import parse_image_name
from carvana.errors import UserError
from carvana.files import sha256_of, write_table
from carvana.pseudo_labels.candidates import Candidate, read_candidates
from carvana.pseudo_labels.choice import RankedCar, ranked_cars
from carvana.reading import read_rows, readable

RANKING_COLUMNS: Final = ("rank", "car", "uncertainty", "chosen")
LABEL_COLUMNS: Final = ("img", "uncertainty", "unclear", "outline")


@dataclass(frozen=True)
class Label:
    """One pseudo-labelled image; see `uncertainty.Uncertainty`."""

    img: str
    uncertainty: float


def write_labels(
    tables: Sequence[Path],
    manifest: Manifest,
    wanted: int,
    size_HW: tuple[int, int],
    masks: Path,
    outputs: Mapping[str, Path],
) -> list[RankedCar]:
    """Choose cars and write their masks.

    Args:
        tables: of candidates, together of all test images.
        manifest: of the test images.
        wanted: how many cars to choose.
        size_HW: of the masks.
        masks: the folder for them; what is in it goes.
        outputs: `manifest`: of the chosen images with their masks; `ranking`: all cars; `labels`: the chosen images.

    Returns:
        The cars, see `choice.ranked_cars`.

    Raises:
        UserError: a table is damaged, or they are not of the manifest's images; or no car can be chosen.
    """
    # Twice through the tables: all masks of the test images at once would not fit into memory.
    uncertainty_of = {one.img: one.uncertainty for table in tables for one in read_candidates(table)}
    if odd := sorted(uncertainty_of.keys() ^ manifest.by_name.keys()):
        raise UserError(f"the teacher's tables and the test images differ in {len(odd)} images, {odd[0]} first")
    uncertainties: dict[str, list[float]] = {}
    for record in manifest:
        uncertainties.setdefault(record.car, []).append(uncertainty_of[record.name].value)
    ranked = ranked_cars(uncertainties, wanted)
    chosen = {car.car for car in ranked if car.chosen}
    shutil.rmtree(masks, ignore_errors=True)
    masks.mkdir(parents=True)
    by_name = manifest.by_name
    records = sorted(
        (
            _labelled(by_name[one.img], one, size_HW, masks)
            for table in tables
            for one in read_candidates(table)
            if by_name[one.img].car in chosen
        ),
        key=lambda record: record.name,
    )
    # One flush of the disk instead of one for each mask; the tables, which are written last, tell of whole ones.
    os.sync()
    surest_first = sorted((uncertainty_of[record.name].value, record.name) for record in records)
    labels = ((name, value, uncertainty_of[name].unclear, uncertainty_of[name].outline) for value, name in surest_first)
    write_table(outputs["labels"], LABEL_COLUMNS, labels)
    ranks = ((car.rank, car.car, car.uncertainty, int(car.chosen)) for car in ranked)
    write_table(outputs["ranking"], RANKING_COLUMNS, ranks)
    write_manifest(Manifest(tuple(records)), outputs["manifest"])
    return ranked


def _labelled(record: ImageRecord, candidate: Candidate, size_HW: tuple[int, int], masks: Path) -> ImageRecord:
    mask_HW = rle.decode(candidate.rle_mask, size_HW)
    path = masks / f"{parse_image_name(record.name).mask_stem}.gif"
    path.write_bytes(gif_of(mask_HW != 0))
    return replace(record, mask=str(path), mask_sha256=sha256_of(path), area=int(mask_HW.sum()))


def read_labels(path: Path) -> list[Label]:
    """The chosen images of a table that `write_labels` wrote, the surest first. Raises UserError when it is damaged."""
    with readable(path, "delete it and run the step that makes it again"):
        return [Label(row["img"], float(row["uncertainty"])) for row in read_rows(path)]
