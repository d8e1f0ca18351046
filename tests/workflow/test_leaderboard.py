"""`snakemake leaderboard`: what it refuses, what it sends to the stand-in, and what it leaves behind."""

import base64
import gzip
import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from carvana.files import write_table
from carvana.geometry import FULL
from carvana.revision import ROOT
from carvana.standin.faults import Fault, FaultPlan
from carvana.standin.server import StandIn
from tests.programs import SNAKEMAKE, with_programs, without_credentials

pytestmark = pytest.mark.slow

KAGGLES = "carvana-image-masking-challenge"


def snakemake(*arguments, environment=None) -> subprocess.CompletedProcess[str]:
    """`snakemake leaderboard`, without whatever credentials the person has who runs the tests."""
    command = [str(SNAKEMAKE), "leaderboard", "--nolock", "--cores", "1", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**with_programs(without_credentials()), **(environment or {})},
        capture_output=True,
        text=True,
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


def test_only_what_is_named_is_made_and_sent(tmp_path):
    run = snakemake("--dry-run", "--config", f"results={tmp_path}", 'leaderboard=["ternaus"]')
    assert run.returncode == 0, said(run)
    counts = dict(re.findall(r"^(\w+) +(\d+)$", run.stdout.split("Job stats:")[1], re.MULTILINE))
    assert (counts["train"], counts["write_submission"], counts["submit"], counts["leaderboard"]) == (
        "5",
        "1",
        "1",
        "1",
    )


NAMES = [f"03a857ce842d_{view:02}.jpg" for view in range(1, 17)]
USAGES = ["Public"] * 5 + ["Private"] * 5 + ["Ignored"] * 6


class Finished:
    """A finished run of which only its submission is left, and a stand-in for the competition it goes to."""

    def __init__(self, folder: Path, slug: str, **faults: list[Fault | None]) -> None:
        self.data, self.slug = folder / "data", slug
        self.results = folder / "results" / "finished"
        self.file = self.results / "submissions" / "ensemble.csv.gz"
        self.data.mkdir()
        self.file.parent.mkdir(parents=True)
        write_table(self.data / "sample_submission.csv", ("img", "rle_mask"), ((name, "1 1") for name in NAMES))
        rows = ((name, "2000 10000", usage) for name, usage in zip(NAMES, USAGES, strict=True))
        write_table(self.data / "solution.csv", ("img", "rle_mask", "usage"), rows)
        # Waiting for a score is tested in tests/leaderboard.
        self.server = StandIn(self.data, FULL, folder / "uploads", FaultPlan(faults), slug=slug, pending_polls=0)

    @property
    def secrets(self) -> dict[str, str]:
        """What must be seen nowhere."""
        pair = base64.b64encode(f"{self.server.user}:{self.server.key}".encode()).decode()
        return {"key": self.server.key, "pair": pair}

    def assert_no_secret_is_left(self, run: subprocess.CompletedProcess[str]) -> None:
        """In what was said, in any file of the run, or in Snakemake's records."""
        places = (self.data.parent, ROOT / ".snakemake")
        for secret in self.secrets.values():
            assert secret not in said(run)
            assert holding(secret, *places) == []
        # The places are the right ones: what is no secret is found in them.
        assert holding(str(self.results), ROOT / ".snakemake")

    def submission(self, dice: float, names: Sequence[str] = NAMES) -> None:
        """Write masks with this Dice coefficient."""
        wrong = round(10000 * (1 - dice))
        text = "img,rle_mask\n" + "".join(f"{name},{2000 + wrong} 10000\n" for name in names)
        self.file.write_bytes(gzip.compress(text.encode()))

    def run(self, variables: Mapping[str, str] = MappingProxyType({})) -> subprocess.CompletedProcess[str]:
        """`snakemake leaderboard` on it."""
        config = {
            "results": self.results.parent,
            "run": self.results.name,
            "competition": self.slug,
            "leaderboard": '["ensemble"]',
            "data": json.dumps({"source": "folder", "folder": str(self.data)}),
        }
        overlay = [f"{key}={value}" for key, value in config.items()]
        environment = {"HOME": str(self.data.parent), **self.server.environment(), **variables}
        return snakemake("--rerun-triggers", "mtime", "--config", *overlay, environment=environment)


def said(run: subprocess.CompletedProcess[str]) -> str:
    return run.stdout + run.stderr


def test_scores_are_fetched_and_compared_and_the_file_is_sent_once(tmp_path):
    finished = Finished(tmp_path, KAGGLES)
    finished.submission(0.9973)
    with finished.server as server:
        run = finished.run({"CARVANA_IMAGE": "sha256:" + "ab" * 32})
        assert run.returncode == 0, said(run)
        finished.assert_no_secret_is_left(run)
        assert re.search(r"ensemble +private +0\.997332±0\.0002 +0\.997300 +-0\.000032 +within", said(run))
        assert re.search(r"ensemble +public +not published +0\.997300", said(run))
        (record,) = json.loads((finished.results / "leaderboard.json").read_text())
        assert (record["name"], record["public"], record["private"]) == ("ensemble", 0.9973, 0.9973)
        assert record["reference"] > 0
        assert record["sha256"] == hashlib.sha256(finished.file.read_bytes()).hexdigest()
        assert re.match(
            r"carvana commit [0-9a-f]{12}(-dirty)?, recipes released, image sha256:abababababab, file [0-9a-f]{16}$",
            record["description"],
        )
        assert datetime.fromisoformat(record["time"])
        # The record is lost, and so is the ledger: the competition's own list is left.
        (finished.results / "leaderboard.json").unlink()
        shutil.rmtree(finished.results.parent / "submitted")
        assert finished.run().returncode == 0
        assert json.loads((finished.results / "leaderboard.json").read_text()) == [record]
        assert server.requests["CreateSubmission"] == 1


def test_a_score_outside_its_band_is_an_error_with_a_table(tmp_path):
    finished = Finished(tmp_path, KAGGLES)
    finished.submission(0.994)
    with finished.server:
        run = finished.run()
    assert run.returncode == 1
    assert re.search(r"ensemble +private +0\.997332±0\.0002 +0\.994000 +-0\.003332 +OUTSIDE", said(run))
    assert "1 of 2 scores lie outside their band" in said(run)
    # What Kaggle said is kept.
    assert json.loads((finished.results / "leaderboard.json").read_text())[0]["private"] == 0.994


def test_the_stand_in_that_is_started_by_hand_can_be_submitted_to(tmp_path):
    finished = Finished(tmp_path, "drawn-cars")
    finished.submission(0.9)
    command = [sys.executable, "-u", "-m", "carvana.standin", str(finished.data), "--geometry", "full"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        printed = [server.stdout.readline() for _ in range(6)]
        try:
            run = finished.run(dict(shlex.split(line)[1].split("=", 1) for line in printed[1:]))
        finally:
            server.terminate()
    assert printed[0].endswith(" --config competition=drawn-cars\n")
    assert run.returncode == 0, said(run)
    assert said(run).count("nothing is published for the competition drawn-cars") == 2


def test_a_wrong_file_is_not_sent(tmp_path):
    finished = Finished(tmp_path, KAGGLES)
    finished.submission(1, [*NAMES[:-1], NAMES[0]])
    with finished.server as server:
        run = finished.run()
    assert run.returncode == 1
    assert f"line 17: {NAMES[0]} comes a second time, first on line 2" in said(run)
    assert f"no row for {NAMES[-1]}" in said(run)
    assert sum(server.requests.values()) == 0
    assert not (finished.results / "leaderboard.json").exists()


def holding(text: str, *folders: Path) -> list[Path]:
    """Files that hold the text."""
    files = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in files if text.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    "echo",
    [
        Fault("status", 401, "the key {key} is wrong"),
        Fault("status", 403, "Authorization: Basic {pair} is not allowed, see https://example.test/?sig={key}"),
    ],
)
def test_a_secret_that_the_server_repeats_is_shown_nowhere(tmp_path, echo):
    finished = Finished(tmp_path, KAGGLES)
    finished.submission(0.9973)
    message = echo.message.format(**finished.secrets)
    finished.server.faults = FaultPlan({"StartSubmissionUpload": [replace(echo, message=message)]})
    with finished.server:
        run = finished.run()
    assert run.returncode == 1, said(run)
    finished.assert_no_secret_is_left(run)
