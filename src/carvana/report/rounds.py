"""The section of the report on pseudo-labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from carvana.data.imageset import ImageSet
from carvana.data.manifest import read_manifest
from carvana.grading.scores import DICE_PARTS
from carvana.picture import TRUTH_COLOUR
from carvana.pseudo_labels.labels import Label, read_labels
from carvana.pseudo_labels.precondition import Precondition, read_precondition
from carvana.report import page
from carvana.report.groups import summary
from carvana.report.page import Cell, Section, Tile
from carvana.report.pictures import contours_on, css_colour, data_address
from carvana.report.record import RunRecord

SHOWN: Final = 12
KEY: Final = {"pseudo-label": css_colour(TRUTH_COLOUR)}
_CONTAMINATED: Final = (
    "The teacher was the ensemble, whose networks were trained on the cars that the second round is judged by out of"
    " fold: those scores are contaminated. Only the test images' are not."
)


@dataclass(frozen=True)
class Teacher:
    """What one teacher gave.

    Attributes:
        name: `fold<k>` or `ensemble`.
        images: the pseudo-labelled images, with these masks.
        labels: the same images, the surest first.
    """

    name: str
    images: ImageSet
    labels: tuple[Label, ...]


@dataclass(frozen=True)
class PseudoLabelling:
    """Pseudo-labels of a run.

    Attributes:
        first: model of the first round.
        second: model of the second.
        precondition: what was found of it.
        teachers: all of them.
    """

    first: str
    second: str
    precondition: Precondition
    teachers: tuple[Teacher, ...]


def read_teacher(folder: Path) -> Teacher:
    """Read a teacher's folder. Raises UserError when something is missing or damaged."""
    images = ImageSet(read_manifest(folder / "manifest.csv"))
    return Teacher(folder.name, images, tuple(read_labels(folder / "labels.csv")))


def read_rounds(first: str, second: str, precondition: Path, folders: Iterable[Path]) -> PseudoLabelling:
    """Read what the run has of pseudo-labels. Raises UserError when something is missing or damaged."""
    teachers = tuple(read_teacher(folder) for folder in folders)
    return PseudoLabelling(first, second, read_precondition(precondition), teachers)


def pseudo_labels(run: RunRecord, rounds: PseudoLabelling, folder: Path) -> Section:
    """What pseudo-labels changed, and the most and the least sure of them.

    Args:
        run: the run.
        rounds: its pseudo-labels.
        folder: where the page will lie, for its links.
    """
    scores = {row.name: row for row in run.scores if row.level == "model"}
    rows: list[Sequence[Cell]] = [
        (part, *_compared(one, two))
        for part, one, two in zip(DICE_PARTS, scores[rounds.first].dice, scores[rounds.second].dice, strict=True)
    ]
    for one, two in zip(run.of_model(rounds.first), run.of_model(rounds.second), strict=True):
        rows.append((f"out of fold, fold {one.fold}", *_compared(summary(one.dice).mean, summary(two.dice).mean)))
    body = page.text(rounds.precondition.message[0].upper() + rounds.precondition.message[1:] + ".")
    if rounds.precondition.teacher == "ensemble":
        body += page.text(_CONTAMINATED, "verdict fails")
    body += page.table(("Dice", rounds.first, rounds.second, "difference"), rows)
    told = ((one.name, len(one.images.manifest.cars), len(one.labels), *_uncertainties(one)) for one in rounds.teachers)
    body += page.heading("The pseudo-labels") + page.text(
        "Uncertainty is the number of pixels with a probability that is neither clearly car nor clearly background, per"
        " pixel of the outline: the width of the band in which a map is not sure. Whole cars were taken, by their least"
        " sure image, the surest first.",
        "faint",
    )
    body += page.table(("teacher", "cars", "images", "lowest uncertainty", "highest uncertainty"), told)
    ranked = sorted(
        ((label, teacher) for teacher in rounds.teachers for label in teacher.labels),
        key=lambda pair: (pair[0].uncertainty, pair[0].img, pair[1].name),
    )
    half = SHOWN // 2
    body += page.key(KEY) + page.heading("The surest") + page.tiles(_tiles(ranked[:half], folder))
    body += page.heading("The least sure that were taken") + page.tiles(_tiles(ranked[-half:], folder))
    return Section("pseudo_labels", "Pseudo-labels", body)


def _compared(one: float | None, two: float | None) -> tuple[Cell, Cell, Cell]:
    if one is None or two is None:
        return None, None, None
    return one, two, two - one


def _uncertainties(teacher: Teacher) -> tuple[float, float]:
    return teacher.labels[0].uncertainty, teacher.labels[-1].uncertainty


def _tiles(ranked: Sequence[tuple[Label, Teacher]], folder: Path) -> Iterable[Tile]:
    for label, teacher in ranked:
        image_HWC, mask_HW = teacher.images.image(label.img), teacher.images.mask(label.img)
        address = data_address(contours_on(image_HWC, mask_HW, None))
        link = page.link(Path(teacher.images.manifest.by_name[label.img].file), folder)
        yield Tile(label.img, f"uncertainty {label.uncertainty:.3f}, by {teacher.name}", (address,), link)
