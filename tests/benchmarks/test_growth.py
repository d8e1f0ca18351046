"""How a run grows with its images."""

import json
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks import growth
from benchmarks.cost import cost_of
from benchmarks.results import ROOT
from carvana.errors import UserError
from tests.pages import PAGES


def test_a_cost_is_the_commands_own_and_a_failure_is_told():
    one, two = (cost_of([sys.executable, "-c", f"x = bytearray({size})"]) for size in (1, 200_000_000))
    # This process has several hundred megabytes, which the kernel must not count.
    assert one.megabytes < 60
    assert two.megabytes - one.megabytes == pytest.approx(200, abs=10)
    assert two.jobs == 1 and two.seconds > 0
    with pytest.raises(UserError, match=r"ended with 3:\nno such thing"):
        cost_of([sys.executable, "-c", "print('no such thing'); raise SystemExit(3)"])


def test_copies_are_the_runs_cars_round_and_round(manifest):
    copies = growth.Copies(manifest, 6, 16)
    assert list(copies.names)[:3] == [f"000000000010_{view:02}.jpg" for view in (1, 2, 3)]
    assert list(copies.names) == sorted(copies.names) and len(copies.names) == 18
    assert copies.names["000000000014_02.jpg"] == manifest.names[1]
    assert copies.by_source[manifest.names[1]] == ["000000000010_02.jpg", "000000000014_02.jpg"]
    assert [name for names in copies.shards(4) for name in names] == list(copies.names)


def test_nothing_grew_faster_than_the_images_and_the_page_says_what_was_measured():
    (result,) = (ROOT / "benchmarks/results").glob("growth-*.json")
    costs: dict[str, dict[float, Any]] = {}
    for row in json.loads(result.read_text())["rows"]:
        costs.setdefault(row["stage"], {})[row["share"]] = row
    for stage, of_share in costs.items():
        assert tuple(of_share) == growth.SHARES
        cells = [f"{row['seconds']:.1f} s, {row['megabytes']:.0f} MB" for row in of_share.values()]
        assert f"| {stage} | {' | '.join(cells)} |" in PAGES["speed.md"]
        for less, more in pairwise(growth.SHARES):
            for figure in ("seconds", "megabytes"):
                assert of_share[more][figure] <= 10 * of_share[less][figure]


@pytest.mark.sample
def test_every_stage_of_a_finished_run_can_grow():
    done = subprocess.run(["make", "report"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    # Pictures are linked, so on one disk.
    with tempfile.TemporaryDirectory(dir=ROOT / "results") as folder:
        enlarged = growth.Enlarged(ROOT / "results/sample", 0.001, 2, Path(folder))
        costs = dict(enlarged.stages())
        assert list(costs) == ["manifests", "folds", "planning", "merging", "submission", "scoring", "report"]
        assert costs["merging"].jobs == 2 * 5
        assert (enlarged.results / "report.html").stat().st_size > 100_000
