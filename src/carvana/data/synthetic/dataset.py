"""A small competition in Kaggle's layout, with the truth of its test images."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image as PillowImage

from carvana import rle
from carvana.arrays import Image
from carvana.data.masks import gif_of
from carvana.data.names import ImageName
from carvana.data.synthetic.fleet import palette_of
from carvana.data.synthetic.scene import View, Visit, draw_views, draw_visit
from carvana.errors import UserError
from carvana.files import whole_file, write_table
from carvana.seeding import generator

JPEG_QUALITY: Final = 95
# What Kaggle's sample submission has in every row.
PLACEHOLDER_RLE: Final = "1 1"
# Shares of the public and the private images among the test images; Kaggle's unscored share would leave too few here.
PUBLIC_SHARE: Final = 0.3
PRIVATE_SHARE: Final = 0.4
# One car in four is a tall van in a glare, among few cars too.
_GLARE_EVERY: Final = 4
_GLARE_FIRST: Final = {"train": 1, "test": 0}
_ARCHIVE_DATE: Final = (2017, 7, 1, 0, 0, 0)

SaveFile = Callable[[str, bytes], None]


@dataclass(frozen=True)
class _Car:
    id: str
    visit: Visit
    year: int
    trim: str


def write_competition(
    folder: Path, seed: int, train_cars: int, test_cars: int, size_HW: tuple[int, int], archives: bool
) -> None:
    """Write train_hq, train_masks, test_hq, metadata.csv, sample_submission.csv and solution.csv.

    The same arguments give the same bytes on every machine with the same releases of NumPy, OpenCV and Pillow. The
    first cars stay the same when more are asked for.

    Args:
        folder: made if need be.
        seed: everything is drawn from it.
        train_cars: number of cars with masks, 16 images each.
        test_cars: number of cars whose truth is in solution.csv alone (img, rle_mask, usage: Public, Private, Ignored).
        size_HW: of the images, (height, width).
        archives: write `<name>.zip` with a folder `<name>` inside, as Kaggle does, instead of the folder.

    Raises:
        UserError: no training or no test car is asked for.
    """
    if train_cars < 1 or test_cars < 1:
        raise UserError(f"{train_cars} training and {test_cars} test cars asked for; ask for at least one of each")
    train, test = (
        [_draw_car(seed, split, k) for k in range(n)] for split, n in (("train", train_cars), ("test", test_cars))
    )
    train.sort(key=lambda car: car.id)
    test.sort(key=lambda car: car.id)
    with _sink(folder, "train_hq", archives) as save_image, _sink(folder, "train_masks", archives) as save_mask:
        for name, view in _views(train, size_HW):
            save_image(str(name), _jpeg(view.image))
            save_mask(f"{name.mask_stem}.gif", gif_of(view.mask))
    truth = {}
    with _sink(folder, "test_hq", archives) as save_image:
        for name, view in _views(test, size_HW):
            save_image(str(name), _jpeg(view.image))
            truth[str(name)] = rle.encode(view.mask)
    cars = sorted([*train, *test], key=lambda car: car.id)
    write_table(folder / "metadata.csv", ("id", "year", "make", "model", "trim1", "trim2"), map(_metadata, cars))
    write_table(folder / "sample_submission.csv", ("img", "rle_mask"), ((name, PLACEHOLDER_RLE) for name in truth))
    usages = _usages(seed, len(truth))
    rows = ((name, mask, usage) for (name, mask), usage in zip(truth.items(), usages, strict=True))
    write_table(folder / "solution.csv", ("img", "rle_mask", "usage"), rows)


def _draw_car(seed: int, split: str, index: int) -> _Car:
    rng = generator(seed, "synthetic", split, index)
    in_glare = index % _GLARE_EVERY == _GLARE_FIRST[split]
    return _Car(
        id=rng.bytes(6).hex(),
        visit=draw_visit(rng, palette_of(index), in_glare),
        year=int(rng.integers(2009, 2018)),
        trim=("Base", "Sport", "Touring")[int(rng.integers(3))],
    )


def _metadata(car: _Car) -> tuple[str, str, str, str, str, str]:
    model = car.visit.kind.models[car.visit.noise_seed % len(car.visit.kind.models)]
    return car.id, f"{car.year}.0", "Velanta", model, model, car.trim


def _views(cars: list[_Car], size_HW: tuple[int, int]) -> Iterator[tuple[ImageName, View]]:
    for car in cars:
        for view in draw_views(car.visit, size_HW):
            yield ImageName(car.id, view.number), view


def _usages(seed: int, count: int) -> list[str]:
    """Public, Private or Ignored for each test image, mixed; at least one of each."""
    public, private = round(PUBLIC_SHARE * count), round(PRIVATE_SHARE * count)
    usages = ["Public"] * public + ["Private"] * private + ["Ignored"] * (count - public - private)
    return [usages[k] for k in generator(seed, "synthetic", "usage").permutation(count)]


def _jpeg(image_HWC: Image) -> bytes:
    stream = io.BytesIO()
    PillowImage.fromarray(image_HWC).save(stream, format="JPEG", quality=JPEG_QUALITY)
    return stream.getvalue()


@contextlib.contextmanager
def _sink(folder: Path, name: str, archive: bool) -> Iterator[SaveFile]:
    """Gives a function that saves a file by name and bytes in the folder, or in the zip archive, called `name`."""
    if not archive:
        (folder / name).mkdir(parents=True, exist_ok=True)
        yield lambda file, content: _save(folder / name / file, content)
        return
    with whole_file(folder / f"{name}.zip") as partial, zipfile.ZipFile(partial, "w") as opened:
        yield lambda file, content: opened.writestr(_zip_entry(f"{name}/{file}"), content)


def _save(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _zip_entry(path: str) -> zipfile.ZipInfo:
    # Images are compressed already; date, rights and system are fixed so that the archive's bytes are.
    entry = zipfile.ZipInfo(path, _ARCHIVE_DATE)
    entry.external_attr = 0o100644 << 16
    entry.create_system = 3
    return entry
