"""Maps on disk, masks of maps, and their run-length encoding."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2

from benchmarks.cpu import published
from benchmarks.cpu.photos import Photos, maps_like
from benchmarks.cpu.rows import Row, compared, in_turns
from carvana import rle
from carvana.arrays import ByteMask, Map
from carvana.catalogue import RECIPES
from carvana.geometry import FULL
from carvana.maps import ensemble, postprocess
from carvana.maps.mapstore import MapReader, MapWriter
from carvana.metrics import dice_of_runs


def masks_and_maps(photos: Photos, folder: Path, times: int) -> Iterator[Row]:
    """From four maps to an RLE, maps to and from disk, and RLEs."""
    cars = photos.cars
    maps = [{recipe: maps_like(car, 4 * n + k) for k, recipe in enumerate(RECIPES)} for n, car in enumerate(cars)]
    yield final_masks(maps, times)
    yield from stored_maps([of_image["linknet34"] for of_image in maps], folder, times)
    yield from run_lengths(cars, times)


def final_masks(maps: Sequence[dict[str, Map]], times: int) -> Row:
    """From an image's four maps to the ensemble's RLE."""

    def ours(n: int) -> str:
        of_image = maps[n % len(maps)]
        mean_HW = ensemble.mean(list(of_image.values()))
        return rle.encode_as_published(postprocess.apply(mean_HW, of_image["linknet34"], FULL).mask)

    def theirs(n: int) -> str:
        return published.final_rle(maps[n % len(maps)])

    for n in range(len(maps)):
        assert ours(n) == theirs(n)
    return compared("four maps to mask, rule and RLE", 6, times, statistics.median, theirs, ours)


def stored_maps(stored: Sequence[Map], folder: Path, times: int) -> Iterator[Row]:
    """Maps to disk and back, and their size, beside PNG."""
    names = [f"{n:012x}_01.jpg" for n in range(times + 1)]
    with MapWriter(folder / "maps.h5", names, FULL.image_size, "maps", "linknet34", 30) as writer:

        def write(n: int) -> None:
            writer.write(names[n + 1], stored[n % len(stored)])

        def write_png(n: int) -> None:
            cv2.imwrite(str(folder / f"{n + 1}.png"), stored[n % len(stored)])

        yield compared("writing a map", 1.5, times, statistics.median, write_png, write)
    with MapReader(folder / "maps.h5") as reader:

        def read(n: int) -> object:
            return reader.read(names[n + 1])

        def read_png(n: int) -> object:
            return cv2.imread(str(folder / f"{n + 1}.png"), cv2.IMREAD_UNCHANGED)

        yield compared("reading a map", 1.5, times, statistics.median, read_png, read)
    pngs = sum((folder / f"{n}.png").stat().st_size for n in range(times + 1))
    ours_bytes = (folder / "maps.h5").stat().st_size
    yield Row("size of a map", "kB", pngs / len(names) / 1000, ours_bytes / len(names) / 1000, pngs / len(names) / 1000)


def run_lengths(cars: Sequence[ByteMask], times: int) -> Iterator[Row]:
    """RLE to and from masks, and Dice of two RLEs without any."""
    encoded = [rle.encode(car) for car in cars]
    runs = [rle.runs(one) for one in encoded]
    size = FULL.image_size
    middle = statistics.median
    yield compared(
        "RLE encoding",
        0.5,
        times,
        middle,
        lambda n: published.encoded(cars[n % len(cars)]),
        lambda n: rle.encode(cars[n % len(cars)]),
    )

    def theirs_decoded(n: int) -> object:
        return published.decoded(encoded[n % len(cars)], size)

    def ours_decoded(n: int) -> object:
        return rle.decode(encoded[n % len(cars)], size)

    yield compared("RLE decoding", 0.5, times, middle, theirs_decoded, ours_decoded)
    (alone,) = in_turns(times, lambda n: dice_of_runs(runs[n % len(cars)], runs[(n + 1) % len(cars)]))
    yield Row("Dice of two RLEs", "ms", None, statistics.median(alone), 0.05)
