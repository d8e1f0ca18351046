"""Training samples."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.cpu import published
from benchmarks.cpu.photos import Photos
from benchmarks.cpu.rows import Row, compared
from carvana.data.imageset import ImageSet
from carvana.geometry import FULL
from carvana.recipe_files import load_recipe
from carvana.seeding import generator
from carvana.training.prepared import DiskCache, Prepared, Preparing
from carvana.transforms import albu, asanakoy
from carvana.transforms.hsv import shift_hsv
from carvana.transforms.protocol import build_transforms


def linknet34_sample(photos: Photos, model: str, draws: int, target: float) -> Row:
    """From the decoded image and mask to what training receives."""
    recipe = load_recipe(model)
    transforms, clahe = albu.build(recipe, FULL), recipe.input.clahe is not None
    drawn = [transforms.sample(generator("benchmark", n), 0) for n in range(draws)]
    # A process makes its table of colours with its first shift.
    shift_hsv(photos.pixels[0], 0, 0, 0)

    def theirs(n: int) -> object:
        k = n % len(photos.images)
        return published.linknet34_sample(photos.pixels[k], photos.cars[k], drawn[n], clahe)

    def ours(n: int) -> object:
        k = n % len(photos.images)
        return transforms.train(transforms.prepare(photos.pixels[k], photos.cars[k]), drawn[n])

    return compared(f"training sample, {model}, decoded", target, draws, statistics.fmean, theirs, ours)


def unet_samples(photos: Photos, folder: Path, draws: int) -> Iterator[Row]:
    """From files to what training receives: in the first epoch, and later, when what was prepared is kept."""
    recipe = load_recipe("unet_scratch")
    transforms = asanakoy.build(recipe, FULL)
    drawn = [transforms.sample(generator("benchmark", n), 0) for n in range(draws)]

    def theirs(n: int) -> object:
        k = n % len(photos.images)
        return published.unet_sample(photos.images[k], photos.masks[k], drawn[n], FULL.unet_size)

    source, names = Preparing(ImageSet(photos.manifest), build_transforms(recipe, FULL)), photos.manifest.names

    def fresh() -> DiskCache:
        return DiskCache(source, names, transforms.size, folder)

    kept = fresh()
    for name in names:
        kept.of(name)
    prepared_by: dict[str, Callable[[], Prepared]] = {"in the first epoch": fresh, "later": lambda: kept}
    for when, prepared in prepared_by.items():

        def ours(n: int, prepared: Callable[[], Prepared] = prepared) -> object:
            return transforms.train(prepared().of(names[n % len(names)]), drawn[n])

        step = f"training sample, unet_scratch (aug 2), from files, {when}"
        yield compared(step, 30, draws, statistics.fmean, theirs, ours)


def training_samples(photos: Photos, folder: Path, draws: int) -> Iterator[Row]:
    """Training samples of LinkNet34 from decoded images, of a U-Net from files."""
    yield linknet34_sample(photos, "linknet34_fma_s44", draws, 20)
    yield linknet34_sample(photos, "linknet34_f04a_clahe", draws, 36)
    yield from unet_samples(photos, folder, draws)
