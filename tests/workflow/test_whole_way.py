"""From a competition's server to its leaderboard: download, training, prediction, submission, scores."""

import base64
import json
import subprocess
import sys

import pytest

from carvana.data.synthetic.dataset import write_competition
from carvana.geometry import SMALL
from carvana.revision import ROOT
from carvana.standin.faults import Fault, FaultPlan
from carvana.standin.server import StandIn
from tests.workflow.test_leaderboard import holding, said, snakemake

SLUG = "drawn-cars"

pytestmark = pytest.mark.slow

# Some of what a long download and a busy server do; each passes.
FAULTS: dict[str, list[Fault | None]] = {
    # Less than the smallest file has: whichever is asked for first is cut.
    "file": [Fault("cut", after=100)],
    "ListDataFiles": [Fault("status", 503)],
    "CreateSubmission": [Fault("lost_answer")],
    "ListSubmissions": [None, Fault("status", 429, retry_after="1")],
}


def test_the_whole_way_with_the_real_client(tmp_path):
    write_competition(tmp_path / "competition", 11, 2, 1, SMALL.image_size, archives=True)
    server = StandIn(tmp_path / "competition", SMALL, tmp_path / "uploads", FaultPlan(FAULTS), slug=SLUG)
    results = tmp_path / "results"
    config = [
        f"results={results}",
        f"competition={SLUG}",
        f"data={json.dumps({'source': 'kaggle', 'folder': str(tmp_path / 'downloaded')})}",
        'leaderboard=["ternaus"]',
    ]
    arguments = ["--resources", "gpu=0", "--configfile", "config/tiny.yaml", "--config", *config]
    with server:
        environment = {"HOME": str(tmp_path), **server.environment()}
        run = snakemake(*arguments, environment=environment)
        assert run.returncode == 0, said(run)[-5000:]
        (record,) = json.loads((results / "tiny" / "leaderboard.json").read_text())
        assert len(server.competition.submissions(1, 20)) == 1
        # Four files; the one that was cut short took two requests.
        assert server.requests["file"] == 5
        again = snakemake(*arguments, environment=environment)
        assert again.returncode == 0, said(again)[-5000:]
        assert server.requests["CreateSubmission"] == 1
    # Only what the target needs was fetched, and as it was offered.
    downloaded = {path.name: path.read_bytes() for path in (tmp_path / "downloaded").iterdir() if path.is_file()}
    assert set(downloaded) == {"train_hq.zip", "train_masks.zip", "test_hq.zip", "sample_submission.csv"}
    assert all((tmp_path / "competition" / name).read_bytes() == content for name, content in downloaded.items())
    # The stranger's tool finds the score that the server gave.
    submission = results / "tiny" / "submissions" / "ternaus.csv.gz"
    command = ["score", submission, "--truth", tmp_path / "competition" / "solution.csv", "--geometry", "small"]
    local = subprocess.run(
        [sys.executable, "-m", "carvana", *map(str, command)], check=True, capture_output=True, text=True
    ).stdout
    for part in ("public", "private"):
        (line,) = (line for line in local.splitlines() if line.startswith(part))
        assert float(line.split()[-1]) == record[part]
        assert 0 < record[part] < 1
    for secret in (server.key, base64.b64encode(f"{server.user}:{server.key}".encode()).decode()):
        assert holding(secret, tmp_path, ROOT / ".snakemake") == []
        assert secret not in said(run) + said(again)
