"""`snakemake leaderboard`: what it refuses, what it sends to the stand-in, and what it leaves behind."""

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from carvana.data.synthetic.dataset import write_competition
from carvana.geometry import FULL, SMALL
from carvana.standin.faults import Fault, Plan
from carvana.standin.server import StandIn

ROOT = Path(__file__).resolve().parents[2]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
KAGGLES = "carvana-image-masking-challenge"


def snakemake(*arguments, environment=None) -> subprocess.CompletedProcess[str]:
    path = f"{SNAKEMAKE.parent}{os.pathsep}{os.environ['PATH']}"
    command = [str(SNAKEMAKE), "leaderboard", "--nolock", "--cores", "1", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PATH": path, **(environment or {})}, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ([], "nothing is sent to Kaggle unless you ask for it"),
        (["geometry=small", 'leaderboard=["ensemble"]'], "its masks are not of the size that"),
    ],
)
def test_what_cannot_be_sent_is_told_while_planning(tmp_path, config, told):
    run = snakemake("--dry-run", "--config", f"results={tmp_path}", *config)
    assert run.returncode == 1
    assert (run.stdout + run.stderr).count(told) == 1


class Submitting:
    """A finished run of which only the submission is left, and a stand-in for its competition."""

    def __init__(self, folder, geometry, slug, **faults: list[Fault | None]) -> None:
        self.folder, self.geometry, self.slug = folder, geometry, slug
        write_competition(folder / "data", 3, 1, 1, geometry.image_size, archives=True)
        self.results = folder / "results" / "done"
        self.file = self.results / "submissions" / "ensemble.csv.gz"
        self.file.parent.mkdir(parents=True)
        self.server = StandIn(folder / "data", geometry, folder / "uploads", Plan(faults), slug=slug)

    def write(self, *changed: tuple[str, str]) -> None:
        """Write the truth as the submission, some masks replaced."""
        with (self.folder / "data" / "solution.csv").open(newline="") as stream:
            masks = {row["img"]: row["rle_mask"] for row in csv.DictReader(stream)}
        with gzip.open(self.file, "wt") as packed:
            packed.write(
                "img,rle_mask\n" + "".join(f"{name},{mask}\n" for name, mask in (masks | dict(changed)).items())
            )

    def run(self) -> subprocess.CompletedProcess[str]:
        config = {
            "results": self.results.parent,
            "run": self.results.name,
            "geometry": self.geometry.name,
            "competition": self.slug,
            "leaderboard": '["ensemble"]',
            "data": json.dumps({"source": "folder", "folder": str(self.folder / "data")}),
        }
        overlay = [f"{key}={value}" for key, value in config.items()]
        return snakemake("--rerun-triggers", "mtime", "--config", *overlay, environment=self.server.environment())


@pytest.mark.slow
def test_a_score_is_fetched_compared_and_never_asked_for_twice(tmp_path):
    small = Submitting(tmp_path, SMALL, "drawn-cars")
    small.write()
    with small.server as server:
        run = small.run()
        assert run.returncode == 0, run.stdout + run.stderr
        assert "nothing is published for the competition drawn-cars" in run.stdout + run.stderr
        (record,) = json.loads((small.results / "leaderboard.json").read_text())
        assert (record["name"], record["public"], record["private"]) == ("ensemble", 1.0, 1.0)
        assert record["reference"] > 0
        assert len(record["sha256"]) == 64
        assert record["description"].startswith("carvana commit ")
        assert "recipes released" in record["description"]
        (small.results / "leaderboard.json").unlink()
        assert small.run().returncode == 0
        assert server.requests["CreateSubmission"] == 1
