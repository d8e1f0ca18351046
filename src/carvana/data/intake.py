"""Taking a user's images in: everything is checked, brought to the run's geometry and listed, or nothing is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import cv2
from tqdm import tqdm

from carvana.data.images import JPEG_START, decode_image, encoded_size, reduce_image
from carvana.data.layout import find_images, find_table
from carvana.data.listing import Counts, count_problems, list_images, list_masks, submission_problems, view_problems
from carvana.data.manifest import ImageRecord, Manifest, content_digest
from carvana.data.masks import decode_mask, reduce_mask, write_mask
from carvana.data.names import ImageName
from carvana.data.staging import staging
from carvana.errors import UserError
from carvana.geometry import FULL, Geometry

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
        reduced = _Reduced(temporary)
        checked = _checked(listed, geometry, reduced, workers, None if quiet else f"taking in {split} images")
        records = [one.record for one in checked if one.record is not None]
        problems = [*listed.problems, *(problem for one in checked for problem in one.problems)]
        problems += _size_problems(records)
        if problems:
            raise UserError(_report(listed, problems, work_dir))
        manifest = Manifest(tuple(records))
        if (records[0].height, records[0].width) == geometry.image_size:
            return manifest
        final = _Reduced(work_dir / f"{split}_{geometry.name}_{content_digest(manifest)[:16]}")
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


@dataclass(frozen=True)
class _Reduced:
    """A folder of reduced images and masks."""

    folder: Path

    def image(self, name: ImageName) -> Path:
        return self.folder / "images" / f"{name.stem}.png"

    def mask(self, name: ImageName) -> Path:
        return self.folder / "masks" / f"{name.mask_stem}.png"

    def move(self, target: _Reduced) -> None:
        for path in self.folder.glob("*/*.png"):
            moved = target.folder / path.relative_to(self.folder)
            moved.parent.mkdir(parents=True, exist_ok=True)
            path.replace(moved)

    def locate(self, record: ImageRecord) -> ImageRecord:
        name = ImageName(record.car, record.view)
        return replace(record, file=str(self.image(name)), mask=str(self.mask(name)) if record.mask else "")


@dataclass(frozen=True)
class _Checked:
    record: ImageRecord | None
    problems: tuple[str, ...]


def _checked(
    listed: _Listed, geometry: Geometry, reduced: _Reduced, workers: int, progress: str | None
) -> list[_Checked]:
    """Every image of a split, checked; `progress` is what the progress bar says, if there is one."""

    def check(name: ImageName) -> _Checked:
        return _check_image(name, listed.images[name], listed.masks.get(name), geometry, reduced)

    with ThreadPoolExecutor(workers) as pool:
        found = pool.map(check, listed.images)
        return list(tqdm(found, progress, len(listed.images), unit="image", disable=progress is None))


def _check_image(
    name: ImageName, image_path: Path, mask_path: Path | None, geometry: Geometry, reduced: _Reduced
) -> _Checked:
    """Read one image and its mask once; write both reduced if they are larger than the geometry."""
    problems = []
    size = None
    encoded = b""
    try:
        encoded = _read(image_path)
        size = _take_image(encoded, geometry, reduced.image(name))
    except UserError as error:
        problems.append(f"{image_path.name}: {error}")

    mask_sha256, area = "", None
    if mask_path is not None:
        try:
            encoded_mask = _read(mask_path)
            mask_sha256 = hashlib.sha256(encoded_mask).hexdigest()
            area = _take_mask(encoded_mask, size, geometry, reduced.mask(name))
        except UserError as error:
            problems.append(f"{mask_path.name}: {error}")

    if size is None:
        return _Checked(None, tuple(problems))
    record = ImageRecord(
        name=str(name),
        car=name.car,
        view=name.view,
        bytes=len(encoded),
        width=size[1],
        height=size[0],
        sha256=hashlib.sha256(encoded).hexdigest(),
        file=str(image_path),
        mask=str(mask_path) if mask_path is not None else "",
        mask_sha256=mask_sha256,
        area=area,
    )
    return _Checked(record, tuple(problems))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})") from error


def _take_image(encoded: bytes, geometry: Geometry, reduced: Path) -> tuple[int, int]:
    """The image's (height, width), after a look at every pixel."""
    if not encoded.startswith(JPEG_START):
        raise UserError("not a JPEG file")
    size = encoded_size(encoded)
    if size not in (FULL.image_size, geometry.image_size):
        allowed = " or ".join(dict.fromkeys(_size_text(allowed) for allowed in (FULL.image_size, geometry.image_size)))
        raise UserError(f"image is {_size_text(size)}, expected {allowed}")
    image_HWC = decode_image(encoded)
    if image_HWC.shape[:2] != size:
        raise UserError("image is turned by its EXIF data, and its mask is not; save it upright")
    if size != geometry.image_size:
        reduced.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(reduced), reduce_image(image_HWC, geometry)):
            raise OSError(f"{reduced} cannot be written")
    return size


def _take_mask(encoded: bytes, image_size: tuple[int, int] | None, geometry: Geometry, reduced: Path) -> int:
    """The number of car pixels at the geometry's size; an unreadable image leaves its mask's size unchecked."""
    mask_HW = decode_mask(encoded)
    size = mask_HW.shape[0], mask_HW.shape[1]
    if image_size is None:
        return 0
    if size != image_size:
        raise UserError(f"mask is {_size_text(size)}, its image {_size_text(image_size)}")
    mask_HW = reduce_mask(mask_HW, geometry)
    if size != geometry.image_size:
        reduced.parent.mkdir(parents=True, exist_ok=True)
        write_mask(reduced, mask_HW)
    return int(mask_HW.sum())


def _size_problems(records: Iterable[ImageRecord]) -> list[str]:
    """Images that are not of the size that most have."""
    images = list(records)
    sizes = Counter((record.height, record.width) for record in images)
    if len(sizes) < 2:
        return []
    (usual, _), *_ = sizes.most_common()
    return [
        f"{record.name}: image is {_size_text((record.height, record.width))}, most are {_size_text(usual)}"
        for record in images
        if (record.height, record.width) != usual
    ]


def _size_text(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"


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
