"""Taking a user's images in: everything is checked, brought to the run's geometry and listed, or nothing is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tqdm import tqdm

from carvana.data.image_check import Checked, Reduced, check_image, size_text
from carvana.data.layout import find_images, find_table
from carvana.data.listing import Counts, count_problems, list_images, list_masks, submission_problems, view_problems
from carvana.data.manifest import ImageRecord, Manifest, content_digest
from carvana.data.names import ImageName
from carvana.data.staging import staging
from carvana.errors import UserError
from carvana.geometry import Geometry

Split = Literal["train", "test"]

_SHOWN_PROBLEMS: Final = 10


def take_in(
    folder: Path,
    split: Split,
    geometry: Geometry,
    work_dir: Path,
    expected: Counts | None = None,
    workers: int = 1,
    quiet: bool = False,
) -> Manifest:
    """Check every image of a split, bring it to the geometry and list it.

    Images that have the geometry's size already are listed where they are. Full-size images in a smaller geometry are
    reduced into a folder of `work_dir` named after their content; it is filled only when nothing is wrong. One image
    per worker is in memory at a time.

    Args:
        folder: data in Kaggle's layout, packed or not; never written to.
        split: `train` reads train_hq and train_masks; `test` reads test_hq and sample_submission.csv.
        geometry: the run's sizes. Images must be of the competition's or of this geometry's size.
        work_dir: where zips are unpacked and reduced images and masks lie.
        expected: the published counts, for the full data set.
        workers: number of threads that read and decode.
        quiet: no progress bar.

    Raises:
        UserError: anything is wrong with the data; the message lists the first ten problems and their number.
    """
    listed = _listed(folder, split, work_dir, expected)
    with staging(work_dir) as temporary:
        reduced = Reduced(temporary)
        checked = _checked(listed, geometry, reduced, workers, None if quiet else f"taking in {split} images")
        records = [one.record for one in checked if one.record is not None]
        problems = [*listed.problems, *(problem for one in checked for problem in one.problems)]
        problems += _size_problems(records)
        if problems:
            raise UserError(_report(listed, problems, work_dir))
        manifest = Manifest(tuple(records))
        if (records[0].height, records[0].width) == geometry.image_size:
            return manifest
        final = Reduced(work_dir / f"{split}_{geometry.name}_{content_digest(manifest)[:16]}")
        reduced.move(final)
        return Manifest(tuple(final.locate(record) for record in records))


@dataclass(frozen=True)
class _Listed:
    """What lies in a split's folders, before anything of it is read: image and mask by name, and what is wrong."""

    folder: Path
    masks_folder: Path | None
    images: Mapping[ImageName, Path]
    masks: Mapping[ImageName, Path]
    problems: Sequence[str]


def _listed(folder: Path, split: Split, work_dir: Path, expected: Counts | None) -> _Listed:
    """See `take_in`. Raises UserError: something is not there at all."""
    images_dir = find_images(folder, f"{split}_hq", work_dir)
    masks_dir = find_images(folder, "train_masks", work_dir) if split == "train" else None
    images, problems = list_images(images_dir)
    if not images and not problems:
        raise UserError(f"{images_dir}: the folder is empty; expected images such as 03a857ce842d_01.jpg")
    problems += count_problems(images, expected) + view_problems(images)
    if masks_dir is None:
        problems += submission_problems(images, find_table(folder, "sample_submission", work_dir))
        return _Listed(images_dir, None, images, {}, problems)
    masks, mask_problems = list_masks(masks_dir, images)
    return _Listed(images_dir, masks_dir, images, masks, problems + mask_problems)


def _checked(
    listed: _Listed, geometry: Geometry, reduced: Reduced, workers: int, progress: str | None
) -> list[Checked]:
    """Every image of a split, checked; `progress` is what the progress bar says, if there is one."""

    def check(name: ImageName) -> Checked:
        return check_image(name, listed.images[name], listed.masks.get(name), geometry, reduced)

    with ThreadPoolExecutor(workers) as pool:
        found = pool.map(check, listed.images)
        return list(tqdm(found, progress, len(listed.images), unit="image", disable=progress is None))


def _size_problems(records: Iterable[ImageRecord]) -> list[str]:
    """Images that are not of the size that most have."""
    images = list(records)
    sizes = Counter((record.height, record.width) for record in images)
    if len(sizes) < 2:
        return []
    (usual, _), *_ = sizes.most_common()
    return [
        f"{record.name}: image is {size_text((record.height, record.width))}, most are {size_text(usual)}"
        for record in images
        if (record.height, record.width) != usual
    ]


def _report(listed: _Listed, problems: list[str], work_dir: Path) -> str:
    lines = [f"{listed.folder}: {len(problems):,} problem{'s' if len(problems) > 1 else ''} with the data"]
    lines += [f"  {problem}" for problem in problems[:_SHOWN_PROBLEMS]]
    if len(problems) > _SHOWN_PROBLEMS:
        lines.append(f"  ... and {len(problems) - _SHOWN_PROBLEMS:,} more")
    folders = [folder for folder in (listed.folder, listed.masks_folder) if folder and work_dir in folder.parents]
    # Each has a folder of its own there, which may hold another one.
    unpacked = [str(work_dir / folder.relative_to(work_dir).parts[0]) for folder in folders]
    if unpacked:
        lines.append(f"If the zips are whole: delete {' and '.join(unpacked)}, to have them unpacked anew, and rerun.")
    lines.append("Mend these files (download or unpack them again) and rerun; nothing was taken in.")
    return "\n".join(lines)
