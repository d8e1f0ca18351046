"""One of a user's images, with its mask: read once, checked, and brought to the run's geometry if it is larger."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from carvana.data.images import JPEG_START, decode_image, encoded_size, reduce_image
from carvana.data.manifest import ImageRecord
from carvana.data.masks import decode_mask, reduce_mask, write_mask
from carvana.data.names import ImageName
from carvana.errors import UserError
from carvana.geometry import FULL, Geometry


@dataclass(frozen=True)
class Reduced:
    """A folder of reduced images and masks."""

    folder: Path

    def image(self, name: ImageName) -> Path:
        """The file of an image."""
        return self.folder / "images" / f"{name.stem}.png"

    def mask(self, name: ImageName) -> Path:
        """The file of an image's mask."""
        return self.folder / "masks" / f"{name.mask_stem}.png"

    def move(self, target: Reduced) -> None:
        """Move all files into another folder on the same disk, which is made if need be."""
        for path in self.folder.glob("*/*.png"):
            moved = target.folder / path.relative_to(self.folder)
            moved.parent.mkdir(parents=True, exist_ok=True)
            path.replace(moved)

    def locate(self, record: ImageRecord) -> ImageRecord:
        """The record of an image whose pixels, and mask's if it has one, are in this folder."""
        name = ImageName(record.car, record.view)
        return replace(record, file=str(self.image(name)), mask=str(self.mask(name)) if record.mask else "")


@dataclass(frozen=True)
class Checked:
    """What the check of an image found.

    Attributes:
        record: of the image; None where something is wrong with the image itself.
        problems: with the image and its mask, each one line of text.
    """

    record: ImageRecord | None
    problems: tuple[str, ...]


def check_image(
    name: ImageName, image_path: Path, mask_path: Path | None, geometry: Geometry, reduced: Reduced
) -> Checked:
    """Read one image and its mask once; write both reduced if they are larger than the geometry.

    Args:
        name: of the image.
        image_path: of its file.
        mask_path: of its mask's, if it has one.
        geometry: of the run.
        reduced: where reduced pixels are written.
    """
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
        return Checked(None, tuple(problems))
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
    return Checked(record, tuple(problems))


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
        allowed = " or ".join(dict.fromkeys(size_text(allowed) for allowed in (FULL.image_size, geometry.image_size)))
        raise UserError(f"image is {size_text(size)}, expected {allowed}")
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
        raise UserError(f"mask is {size_text(size)}, its image {size_text(image_size)}")
    mask_HW = reduce_mask(mask_HW, geometry)
    if size != geometry.image_size:
        reduced.parent.mkdir(parents=True, exist_ok=True)
        write_mask(reduced, mask_HW)
    return int(mask_HW.sum())


def size_text(size: tuple[int, int]) -> str:
    """A size (height, width) for people: width x height."""
    return f"{size[1]}x{size[0]}"
