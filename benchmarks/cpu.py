"""What full-size images cost on one CPU core, beside the published flow: `make bench`, less than ten minutes.

Both sides of a row are timed in turns in one process, on the same inputs, so that a noisy neighbour meets both. The
result is written to benchmarks/results/<machine and libraries>.json: medians, or means over a recipe's draws; ratios.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from benchmarks import published
from benchmarks.cost import cost_of
from benchmarks.results import ROOT, write_result
from carvana import rle
from carvana.catalogue import RECIPES
from carvana.computing.cpu import cpu_name
from carvana.computing.runtime import configure
from carvana.data.images import read_image
from carvana.data.imageset import ImageSet
from carvana.data.intake import take_in
from carvana.data.manifest import Manifest
from carvana.data.masks import read_mask
from carvana.data.synthetic.dataset import write_competition
from carvana.errors import main_guard
from carvana.geometry import FULL
from carvana.maps import ensemble, postprocess
from carvana.maps.mapstore import MapReader, MapWriter
from carvana.metrics import dice_of_runs
from carvana.prediction.pipeline import Pipeline
from carvana.provenance import package_versions
from carvana.recipe import load_recipe
from carvana.seeding import generator
from carvana.training.prepared import KeptOnDisk, Prepared, Preparing
from carvana.transforms import albu, asanakoy
from carvana.transforms.hsv import shift_hsv
from carvana.transforms.protocol import build_transforms

Map = npt.NDArray[np.uint8]
TEST_IMAGES: Final = 100_064
# LinkNet34's variants with CLAHE are dearer to prepare.
MODELS: Final = ("ternausnet", "linknet34_f04a_clahe", "unet_scratch")


@dataclass(frozen=True)
class Row:
    """One step.

    Attributes:
        step: what is done.
        unit: of the numbers.
        published: what the published flow takes; none where it has no such step.
        ours: what this code takes.
        target: what it should take at most; none: it is only measured.
    """

    step: str
    unit: str
    published: float | None
    ours: float
    target: float | None

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the published flow."""
        return self.published / self.ours if self.published else None


def in_turns(times: int, *works: Callable[[int], object]) -> list[list[float]]:
    """Milliseconds of each work, run one after the other, so many times after a first round that does not count."""
    found: list[list[float]] = [[] for _ in works]
    for number in range(-1, times):
        for work, milliseconds in zip(works, found, strict=True):
            begun = time.perf_counter()
            work(number)
            if number >= 0:
                milliseconds.append((time.perf_counter() - begun) * 1000)
    return found


def compared(
    step: str,
    target: float,
    times: int,
    middle: Callable[[Sequence[float]], float],
    theirs: Callable[[int], object],
    ours: Callable[[int], object],
) -> Row:
    """The row of two works that do the same, by the mean or the median of their times."""
    published_ms, ours_ms = (middle(found) for found in in_turns(times, theirs, ours))
    return Row(step, "ms", published_ms, ours_ms, target)


@dataclass(frozen=True)
class Photos:
    """Full-size photos with their masks, as files and decoded."""

    manifest: Manifest
    images: Sequence[Path]
    masks: Sequence[Path]
    pixels: Sequence[Map]
    cars: Sequence[Map]

    @classmethod
    def drawn(cls, folder: Path) -> Photos:
        """Photos of one drawn car in the competition's size and formats."""
        write_competition(folder, 2017, 1, 1, FULL.image_size, archives=False)
        manifest = take_in(folder, "train", FULL, folder / "work", quiet=True)
        images, masks = sorted((folder / "train_hq").iterdir()), sorted((folder / "train_masks").iterdir())
        return cls(manifest, images, masks, [read_image(path) for path in images], [read_mask(path) for path in masks])


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

    def fresh() -> KeptOnDisk:
        return KeptOnDisk(source, names, transforms.size, folder)

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


class SameCar(nn.Module):
    """A network that costs nothing: it sees the same car in every image."""

    def __init__(self, logits_HW: npt.NDArray[np.float32], output: str, size: tuple[int, int]) -> None:
        super().__init__()
        at_size = cv2.resize(logits_HW, size[::-1])
        self._output_11HW = torch.from_numpy(at_size)[None, None]
        if output == "probabilities":
            self._output_11HW.sigmoid_()

    def forward(self, images_N3HW: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 1, H, W)."""
        return self._output_11HW.expand(len(images_N3HW), -1, -1, -1)


def prediction_alone(photos: Photos, folder: Path, model: str) -> Iterator[Row]:
    """From files to stored maps with a network that costs nothing, and what of it the CPU does where a GPU computes.

    By the processor time of all threads.
    """
    recipe, images = load_recipe(model), ImageSet(photos.manifest)
    transforms, names = build_transforms(recipe, FULL), photos.manifest.names
    network = SameCar(logits_like(photos.cars[0], 0), recipe.network.output, transforms.size)
    stored: dict[str, npt.NDArray[np.uint16]] = {}

    def store(name: str, sums_HW: npt.NDArray[np.uint16]) -> None:
        writer.write(name, sums_HW)
        stored[name] = sums_HW

    with MapWriter(folder / f"{model}.h5", names, FULL.image_size, "sums", model, 1) as writer:
        begun = time.process_time()
        Pipeline(recipe, FULL, images, torch.device("cpu"), 1, quiet=True).run(names, lambda _: [network], store)
        seconds = time.process_time() - begun
    yield Row(f"prediction without its networks, {model}", "ms", None, seconds / len(names) * 1000, None)

    with MapWriter(folder / f"{model}_again.h5", names, FULL.image_size, "sums", model, 1) as writer:
        begun = time.process_time()
        for name in names:
            transforms.predict(images.image(name))
            writer.write(name, stored[name])
        seconds = time.process_time() - begun
    yield Row(f"of it beside a GPU, {model}", "ms", None, seconds / len(names) * 1000, None)


def logits_like(car_HW: Map, seed: int) -> npt.NDArray[np.float32]:
    """A trained network's output: sure but for a narrow band along the outline."""
    noise_HW = (
        generator("map", seed).normal(0, 0.6, (car_HW.shape[0] // 8, car_HW.shape[1] // 8 + 1)).astype(np.float32)
    )
    rough_HW = cv2.resize(noise_HW, car_HW.shape[::-1], interpolation=cv2.INTER_CUBIC)
    distance_HW = cv2.GaussianBlur(car_HW.astype(np.float32), (0, 0), 2.0) - 0.5
    return np.asarray(18 * distance_HW + rough_HW, np.float32)


def maps_like(car_HW: Map, seed: int) -> Map:
    """A map as a trained network makes it."""
    return np.asarray(255 / (1 + np.exp(-logits_like(car_HW, seed))), np.float32).astype(np.uint8)


def masks_and_maps(photos: Photos, folder: Path, times: int) -> Iterator[Row]:
    """From four maps to an RLE, and maps to and from disk."""
    cars = photos.cars
    maps = [{recipe: maps_like(car, 4 * n + k) for k, recipe in enumerate(RECIPES)} for n, car in enumerate(cars)]

    def ours(n: int) -> str:
        of_image = maps[n % len(maps)]
        mean_HW = ensemble.mean(list(of_image.values()))
        return rle.encode_as_published(postprocess.apply(mean_HW, of_image["linknet34"], FULL).mask)

    def theirs(n: int) -> str:
        return published.final_rle(maps[n % len(maps)])

    for n in range(len(maps)):
        assert ours(n) == theirs(n)
    yield compared("four maps to mask, rule and RLE", 6, times, statistics.median, theirs, ours)

    stored = [of_image["linknet34"] for of_image in maps]
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


def scoring(photos: Photos, folder: Path, images: int) -> Iterator[Row]:
    """Scoring a whole submission against a truth of its size, beside the time of decompressing both."""
    kinds = [rle.encode(np.roll(car, shift, axis=1)) for car in photos.cars for shift in range(0, 96, 8)]
    files = {"submission": 0, "truth": 1}
    for name, first in files.items():
        with gzip.open(folder / f"{name}.csv.gz", "wt", compresslevel=6, newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["img", "rle_mask"])
            rows.writerows([f"{n:012x}_01.jpg", kinds[(n * 7 + first) % len(kinds)]] for n in range(images))
    # Else the system would be writing them while they are read.
    os.sync()
    begun = time.perf_counter()
    for name in files:
        with gzip.open(folder / f"{name}.csv.gz", "rb") as packed:
            while packed.read(2**20):
                pass
    decompressing = time.perf_counter() - begun
    command = [sys.executable, "-m", "carvana", "score", str(folder / "submission.csv.gz")]
    command += ["--truth", str(folder / "truth.csv.gz")]
    begun = time.perf_counter()
    cost = cost_of(command)
    seconds = time.perf_counter() - begun
    yield Row(f"score of {images} images, times decompressing both", "x", None, seconds / decompressing, 2)
    yield Row(f"memory of that score of {images} images", "GB", None, cost.megabytes / 1000, 1)


def planning(times: int) -> Row:
    """`snakemake -n` of the full reproduction, before any data is there."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["snakemake", "-n", "--quiet", "all", "--cores", "8", "--resources", "gpu=4"]
        command += ["--config", f"results={folder}"]
        (found,) = in_turns(times, lambda _: subprocess.run(command, cwd=ROOT, check=True, capture_output=True))
    return Row("snakemake -n of the full reproduction", "s", None, statistics.median(found) / 1000, 5)


def conditions() -> dict[str, str]:
    """What the numbers depend on."""
    return {"processor": cpu_name(), "python": platform.python_version(), "packages": package_versions()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=64, help="repetitions of each step")
    parser.add_argument("--images", type=int, default=TEST_IMAGES, help="rows of the submission that is scored")
    given = parser.parse_args()
    configure(1, "exact")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        photos = Photos.drawn(folder / "drawn")
        for step in (
            training_samples(photos, folder, given.times),
            (row for model in MODELS for row in prediction_alone(photos, folder, model)),
            masks_and_maps(photos, folder, given.times),
            scoring(photos, folder, given.images),
            iter([planning(3)]),
        ):
            for row in step:
                rows.append(row)
                before = f"{row.published:9.2f}" if row.published else "        -"
                ratio = f"{row.ratio:6.1f} x" if row.ratio else " " * 8
                target = f"  at most {row.target:.2f}" if row.target else ""
                print(f"{row.step:60} {before} {row.ours:9.2f} {row.unit:3} {ratio}{target}", flush=True)
    found = conditions()
    libraries = [word for word in found["packages"].split() if word.startswith(("opencv", "numpy"))]
    document = {"conditions": found, "rows": [asdict(row) | {"ratio": row.ratio} for row in rows]}
    write_result([found["processor"], *libraries], document)


if __name__ == "__main__":
    main_guard(main)
