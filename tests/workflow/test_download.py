"""`snakemake download` and what depends on it, with the real kaggle package, against the stand-in."""

import base64
import json
import subprocess
import time
from pathlib import Path

import pytest

from carvana.geometry import SMALL
from carvana.standin.faults import RULES_NOT_ACCEPTED, Fault, FaultPlan
from carvana.standin.server import StandIn
from tests.faults.kills import workers
from tests.programs import SNAKEMAKE, with_programs, without_credentials
from tests.workflow.checkout import copy_code

NAMES = ("train_hq", "train_masks", "test_hq", "metadata", "sample_submission")

pytestmark = pytest.mark.slow


class Checkout:
    """A copy of the workflow, to be changed and searched, and a stand-in to download from."""

    def __init__(self, folder: Path, server: StandIn) -> None:
        self.folder, self.server = folder, server
        copy_code(folder)
        (folder / "home").mkdir()
        (folder / "overlay.yaml").write_text(
            "run: standin\ngeometry: small\nquiet: true\n"
            "data: {source: kaggle, folder: files, expect_published: false}\n"
        )
        self.said = ""
        self.most_at_once = 0

    def snakemake(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run it, and count how many files it downloads at once."""
        environment = {
            **with_programs(without_credentials()),
            **self.server.environment(),
            "HOME": str(self.folder / "home"),
            "PYTHONPATH": str(self.folder / "src"),
            **changes,
        }
        command = [str(SNAKEMAKE), *arguments, "--cores", "2", "--configfile", "overlay.yaml"]
        self.most_at_once = 0
        with (self.folder.parent / "said").open("w+") as said:
            run = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=said, stderr=subprocess.STDOUT)
            while run.poll() is None:
                self.most_at_once = max(self.most_at_once, list(workers(run.pid).values()).count("download"))
                time.sleep(0.05)
            said.seek(0)
            told = said.read()
        self.said += told
        return subprocess.CompletedProcess(command, run.returncode, told)

    def files(self) -> dict[str, Path]:
        return {path.name: path for path in (self.folder / "files").glob("[!.]*")}


@pytest.fixture
def checkout(drawn, tmp_path):
    with StandIn(drawn, SMALL, tmp_path / "uploads") as server:
        (tmp_path / "checkout").mkdir()
        one = Checkout(tmp_path / "checkout", server)
        yield one
        # No secret, in whatever form, is in any log, error, report, record or file, Snakemake's own included.
        pair = base64.b64encode(f"{server.user}:{server.key}".encode()).decode()
        for secret in (server.key, server.token, pair):
            assert secret not in one.said
            for path in one.folder.rglob("*"):
                assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_everything_arrives_once(checkout):
    # The client's first choice; the user name and the key are there too.
    run = checkout.snakemake("download", KAGGLE_API_TOKEN=f"{checkout.server.token}\n")
    assert run.returncode == 0, run.stdout
    assert checkout.most_at_once == 2
    assert checkout.server.requests["IntrospectToken"] > 0
    served = checkout.server.competition.folder
    assert set(checkout.files()) == {path.name for path in checkout.server.competition.files()}
    for name in NAMES:
        receipt = json.loads((checkout.folder / f"results/standin/download/{name}.json").read_text())
        assert receipt["name"] == name
        assert (checkout.folder / "files" / receipt["file"]).read_bytes() == (served / receipt["file"]).read_bytes()
    checkout.server.requests.clear()
    assert "Nothing to be done" in checkout.snakemake("download").stdout
    # Another run uses the same files, and nobody is asked for anything: not for credentials either.
    again = checkout.snakemake("download", "--config", "run=other", KAGGLE_KEY="")
    assert again.returncode == 0, again.stdout
    assert not checkout.server.requests


def test_no_more_are_downloaded_at_once_than_allowed(checkout):
    overlay = checkout.folder / "overlay.yaml"
    overlay.write_text(overlay.read_text().replace("folder: files,", "folder: files, parallel_downloads: 1,"))
    receipts = [f"results/standin/download/{name}.json" for name in NAMES[:3]]
    # Another limit on the command line takes the place of a profile's, not of this one.
    run = checkout.snakemake(*receipts, "--resources", "gpu=0")
    assert run.returncode == 0, run.stdout
    assert checkout.most_at_once == 1


def test_a_changed_download_code_makes_nothing_else_anew(checkout):
    manifest = "results/standin/data/train.csv"
    run = checkout.snakemake(manifest)
    assert run.returncode == 0, run.stdout
    assert set(checkout.files()) == {"train_hq.zip", "train_masks.zip"}
    written = (checkout.folder / manifest).stat().st_mtime_ns
    receipt = checkout.folder / "results/standin/download/train_hq.json"
    before, made = receipt.read_bytes(), receipt.stat().st_mtime_ns
    checkout.server.requests.clear()
    for changed in ("workflow/scripts/download.py", "src/carvana/kaggle/download.py"):
        with (checkout.folder / changed).open("a") as stream:
            stream.write('\nCHANGED = "code"\n')
    run = checkout.snakemake(manifest)
    assert run.returncode == 0, run.stdout
    assert receipt.stat().st_mtime_ns > made
    assert receipt.read_bytes() == before
    assert not checkout.server.requests
    assert (checkout.folder / manifest).stat().st_mtime_ns == written
    assert "Nothing to be done" in checkout.snakemake(manifest).stdout


@pytest.mark.parametrize(
    ("faults", "changes", "told"),
    [
        ({}, {"KAGGLE_USERNAME": "", "KAGGLE_KEY": ""}, "KAGGLE_USERNAME is set but empty"),
        (
            {"ListDataFiles": [Fault("status", 403, RULES_NOT_ACCEPTED, repeat=True)]},
            {},
            "https://www.kaggle.com/c/carvana-image-masking-challenge/rules",
        ),
    ],
    ids=["empty", "rules"],
)
def test_what_is_wrong_is_told_in_one_message(checkout, faults, changes, told):
    checkout.server.faults = FaultPlan(faults)
    run = checkout.snakemake("results/standin/download/metadata.json", **changes)
    assert run.returncode != 0
    log = (checkout.folder / "results/standin/logs/download/metadata.log").read_text()
    assert log.startswith("error: ")
    assert told in log
    assert "Traceback" not in run.stdout
    assert not (checkout.folder / "results/standin/download/metadata.json").exists()
    assert not checkout.files()
