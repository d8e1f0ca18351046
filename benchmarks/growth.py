"""How a run's time and memory grow with its images: `make growth`, after `snakemake --configfile config/tiny.yaml`.

The pictures and maps of a finished run of `tiny` get as many names as 1, 10 and 100 % of the competition's cars have,
and the workflow's own scripts run on them, each job in a process of its own, whose processor time and peak of memory
the kernel tells. Pictures are as small as in `tiny`, so a table's seconds are what a picture's number costs, not its
size: that is in `make bench`. Training and prediction grow with their batches; they are left out.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import yaml

from benchmarks.cost import Cost, cost_of, together
from benchmarks.results import ROOT, conditions, write_result
from carvana.catalogue import RECIPES, merged_models
from carvana.data.manifest import Manifest, read_manifest
from carvana.errors import UserError, main_guard
from carvana.files import write_table
from carvana.folds import SCHEMES
from carvana.geometry import SMALL
from carvana.maps.mapstore import MapReader, MapWriter
from carvana.recipe_files import RELEASED

TINY: Final = ROOT / "results/tiny"
SHARES: Final = (0.01, 0.1, 1.0)
TRAIN_CARS: Final = 318
TEST_CARS: Final = 6254
SHARDS: Final = 16
GEOMETRY: Final = SMALL.name


@dataclass(frozen=True)
class Copies:
    """A finished run's images under more names: car number n is the run's car n, counted round and round.

    Attributes:
        source: the run's manifest of the split.
        cars: how many there shall be.
        first: number of the first; splits must not share cars.
    """

    source: Manifest
    cars: int
    first: int

    @cached_property
    def names(self) -> dict[str, str]:
        """The run's image by new name, sorted by new name."""
        views: dict[str, list[tuple[int, str]]] = {}
        for record in self.source:
            views.setdefault(record.car, []).append((record.view, record.name))
        cars = list(views.values())
        return {
            f"{self.first + number:012x}_{view:02}.jpg": name
            for number in range(self.cars)
            for view, name in sorted(cars[number % len(cars)])
        }

    @cached_property
    def by_source(self) -> dict[str, list[str]]:
        """The new names by the run's image."""
        found: dict[str, list[str]] = {}
        for new, name in self.names.items():
            found.setdefault(name, []).append(new)
        return found

    def shards(self, count: int) -> Iterator[list[str]]:
        """The new names, in so many parts."""
        names = list(self.names)
        for shard in range(count):
            yield names[shard * len(names) // count : (shard + 1) * len(names) // count]


def copy_table(source: Path, copies: Copies, path: Path) -> None:
    """Write a table with the column img, each row under all new names of its image, sorted."""
    with source.open(newline="", encoding="utf-8") as stream:
        rows = {row["img"]: row for row in csv.DictReader(stream)}
    columns = tuple(next(iter(rows.values())))
    write_table(path, columns, (tuple(({**rows[old], "img": new}).values()) for new, old in copies.names.items()))


def copy_maps(source: Path, copies: Copies, names: Sequence[str], path: Path) -> None:
    """Write a store of the maps under these new names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with MapReader(source) as reader:
        maps = dict(reader)
        with MapWriter(path, names, reader.size_HW, reader.kind, reader.source, reader.networks) as writer:
            for name in names:
                writer.write(name, maps[copies.names[name]])


def lay_out(train: Copies, test: Copies, folder: Path) -> None:
    """The competition's folder in Kaggle's layout; the pictures are links to the run's."""
    for split, copies in {"train_hq": train, "test_hq": test}.items():
        (folder / split).mkdir(parents=True)
        for record in copies.source:
            for new in copies.by_source[record.name]:
                os.link(record.file, folder / split / new)
    (folder / "train_masks").mkdir()
    for record in train.source:
        for new in train.by_source[record.name]:
            os.link(record.mask, folder / "train_masks" / f"{Path(new).stem}_mask.gif")
    write_table(folder / "sample_submission.csv", ("img", "rle_mask"), ((name, "1 1") for name in test.names))
    cars = sorted({name[:12] for name in (*train.names, *test.names)})
    write_table(folder / "metadata.csv", ("id", "year", "make"), ((car, "2012.0", "Acura") for car in cars))


class Enlarged:
    """A run of a share of the competition, and the costs of its stages.

    Args:
        source: results of a finished run of the small geometry with one shard.
        share: of the competition's cars.
        shards: of the test images.
        folder: an empty one on the disk of `source`.
    """

    def __init__(self, source: Path, share: float, shards: int, folder: Path) -> None:
        self.source, self.folder, self.data, self.results = source, folder, folder / "data", folder / "results/grown"
        train, test = (read_manifest(source / f"data/{split}.csv") for split in ("train", "test"))
        # At least the run's own cars, so that no fold is empty.
        self.train = Copies(train, max(len(train.cars), round(TRAIN_CARS * share)), 0)
        self.test = Copies(test, max(len(test.cars), round(TEST_CARS * share)), 2**40)
        self.parts = [f"test-{shard:02}-of-{shards:02}" for shard in range(1, shards + 1)]

    def script(self, name: str, *arguments: object) -> Cost:
        """Run one of the workflow's scripts."""
        return cost_of([sys.executable, f"workflow/scripts/{name}.py", *map(str, arguments)])

    def taking_in(self, split: str) -> Cost:
        """Every picture read, checked, hashed and listed."""
        arguments = ["--data", self.data, "--split", split, "--geometry", GEOMETRY, "--work-dir", self.results / "data"]
        manifest = self.results / f"data/{split}.csv"
        return self.script("intake", *arguments, "--manifest", manifest, "--workers", 1, "--quiet")

    def folding(self) -> Cost:
        """Every scheme of folds, one after the other."""
        manifest = self.results / "data/train.csv"
        return together(
            [
                self.script(
                    "folds",
                    "--manifest",
                    manifest,
                    "--scheme",
                    scheme,
                    "--folds",
                    2,
                    "--out",
                    self.folder / "folds.csv",
                )
                for scheme in SCHEMES
            ]
        )

    def planning(self) -> Cost:
        """`snakemake --dry-run` of everything, with the data there."""
        overlay = self.folder / "overlay.yaml"
        overlay.write_text(
            yaml.safe_dump(
                {
                    "run": "planned",
                    "results": str(self.folder),
                    "geometry": GEOMETRY,
                    "data": {"source": "folder", "folder": str(self.data), "expect_published": False},
                }
            )
        )
        command = ["snakemake", "--dry-run", "--quiet", "all", "--cores", "8", "--resources", "gpu=4"]
        return cost_of([*command, "--configfile", str(overlay)])

    def merging(self) -> Cost:
        """The four recipes' maps from the models' sums, shard by shard, and the ensemble's masks from them."""
        costs = []
        for part, names in zip(self.parts, self.test.shards(len(self.parts)), strict=True):
            maps = {recipe: self.results / f"maps/{recipe}/{part}.h5" for recipe in RECIPES}
            for recipe, path in maps.items():
                models = merged_models(recipe, RELEASED)
                stores = [self.folder / f"sums/{model}.h5" for model in models]
                for model, store in zip(models, stores, strict=True):
                    copy_maps(self.source / f"predictions/{model}/test-01-of-01.h5", self.test, names, store)
                masks = self.results / f"masks/{recipe}/{part}.csv"
                arguments = ["--model", models[0], "--edition", RELEASED, "--name", recipe, "--sums", *stores]
                costs.append(self.script("merge", *arguments, "--out", path, "--masks", masks))
            named = [word for recipe, path in maps.items() for word in (f"--{recipe.replace('_', '-')}", path)]
            masks = self.results / f"masks/ensemble/{part}.csv"
            costs.append(self.script("ensemble", *named, "--geometry", GEOMETRY, "--out", masks))
        return together(costs)

    def submitting(self) -> Cost:
        """The shards' masks joined into a submission, and that checked."""
        masks = [self.results / f"masks/ensemble/{part}.csv" for part in self.parts]
        arguments = [
            "--masks",
            *masks,
            "--data",
            self.data,
            "--work-dir",
            self.results / "data",
            "--geometry",
            GEOMETRY,
        ]
        return self.script("submission", *arguments, "--out", self.folder / "submission.csv.gz")

    def scoring(self) -> Cost:
        """The submission scored against a truth of its size."""
        submission = self.folder / "submission.csv.gz"
        command = [sys.executable, "-m", "carvana", "score", str(submission), "--truth", str(submission)]
        return cost_of([*command, "--geometry", GEOMETRY])

    def finished(self) -> None:
        """What a run has beside what the stages here have made: the report reads it."""
        shutil.copytree(self.source / "models", self.results / "models", copy_function=os.link)
        for name in ("scores.json", "verification.json"):
            shutil.copy2(self.source / name, self.results / name)
        copy_table(self.source / "masks/ensemble/train.csv", self.train, self.results / "masks/ensemble/train.csv")
        for model in self.models:
            folder = self.results / f"oof/{model}"
            folder.mkdir(parents=True)
            copy_table(self.source / f"oof/{model}/dice.csv", self.train, folder / "dice.csv")
            shutil.copy2(self.source / f"oof/{model}/timings.json", folder / "timings.json")
            copy_maps(self.source / f"oof/{model}/maps.h5", self.train, list(self.train.names), folder / "maps.h5")

    @property
    def models(self) -> tuple[str, ...]:
        """The models of all recipes."""
        return tuple(model for recipe in RECIPES for model in merged_models(recipe, RELEASED))

    def reporting(self) -> Cost:
        """Every training image analysed, and the page written."""
        maps = [self.results / f"oof/{model}/maps.h5" for model in self.models]
        known = ["--manifest", self.results / "data/train.csv", "--maps", *maps, "--edition", RELEASED]
        tables = ["--out", self.results / "analysis.csv", "--audit", self.results / "mask_audit.csv"]
        analysis = self.script("analysis", *known, "--geometry", GEOMETRY, "--threads", 1, *tables)
        page = ["--results", self.results, "--data", self.data, "--work-dir", self.results / "data"]
        page += ["--masks", self.results / "masks/ensemble/train.csv", "--published", "config/published.yaml"]
        page += ["--test-parts", *self.parts]
        for model in self.models:
            folds = sorted(path.name.removeprefix("fold") for path in (self.source / f"models/{model}").glob("fold*"))
            page += ["--model", model, ",".join(folds)]
        return together([analysis, self.script("report", *known, *page, "--out", self.results / "report.html")])

    def stages(self) -> Iterator[tuple[str, Cost]]:
        """Every stage, in the order of the workflow."""
        lay_out(self.train, self.test, self.data)
        yield "manifests", together([self.taking_in("train"), self.taking_in("test")])
        yield "folds", self.folding()
        yield "planning", self.planning()
        yield "merging", self.merging()
        yield "submission", self.submitting()
        yield "scoring", self.scoring()
        self.finished()
        yield "report", self.reporting()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="of the competition's cars")
    given = parser.parse_args()
    if not (TINY / "report.html").is_file():
        raise UserError(f"{TINY}: no finished run; `make growth` makes it")
    rows = []
    for share in given.shares:
        # Beside the run, so that pictures can be linked.
        with tempfile.TemporaryDirectory(dir=TINY.parent) as folder:
            enlarged = Enlarged(TINY, share, SHARDS, Path(folder))
            images = {"train": len(enlarged.train.names), "test": len(enlarged.test.names)}
            for stage, cost in enlarged.stages():
                rows.append({"share": share, "stage": stage, "images": images, **asdict(cost)})
                print(
                    f"{share:5.0%} {stage:10} {cost.jobs:3} jobs {cost.seconds:8.1f} s {cost.megabytes:6.0f} MB",
                    flush=True,
                )
    found = conditions()
    write_result(["growth", found["processor"]], {"conditions": found, "rows": rows})


if __name__ == "__main__":
    main_guard(main)
