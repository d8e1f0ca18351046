"""The drawn competition behind the stand-in server, reached through the real kaggle client."""

import csv
import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from carvana.geometry import SMALL
from carvana.kaggle.client import Kaggle
from carvana.kaggle.credentials import find_credentials
from carvana.kaggle.retry import Patience
from carvana.leaderboard.ledger import Ledger
from carvana.leaderboard.submit import Submissions, Waits
from carvana.standin.competition import Competition
from carvana.standin.faults import Fault, FaultPlan
from carvana.standin.server import StandIn

SLUG = "drawn-cars"
WAITS = Waits(first=0.02, longest=0.05, scored=20, settled=0.2)
PATIENCE = Patience(attempts=3, first_pause=0.01, longest_wait=5, stall=20)

Start = Callable[..., tuple[StandIn, Submissions]]


def strangers_environment(home: Path) -> dict[str, str]:
    """The environment without whatever credentials the person has who runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("KAGGLE_")} | {"HOME": str(home)}


@pytest.fixture(scope="session")
def perfect(drawn, tmp_path_factory):
    """The hidden truth as a submission, its first and last pixels left away: it scores 1."""
    path = tmp_path_factory.mktemp("submissions") / "ensemble.csv.gz"
    with (drawn / "solution.csv").open(newline="") as stream, gzip.open(path, "wt") as packed:
        packed.write("img,rle_mask\n")
        packed.writelines(f"{row['img']},{row['rle_mask']}\n" for row in csv.DictReader(stream))
    return path


@pytest.fixture(scope="session")
def standing(drawn, tmp_path_factory) -> Iterator[tuple[StandIn, Kaggle]]:
    folder = tmp_path_factory.mktemp("standing")
    with StandIn(drawn, SMALL, folder / "uploads", slug=SLUG) as server:
        environment = strangers_environment(folder) | server.environment()
        with Kaggle(SLUG, find_credentials(environment, folder), PATIENCE.stall, environment) as kaggle:
            yield server, kaggle


@pytest.fixture
def start(standing, drawn, tmp_path) -> Start:
    """Gives the stand-in, nothing submitted to it yet, with faults by endpoint; and the user's submissions to it."""

    def begin(kaggle: Kaggle = standing[1], pending_polls: int = 1, **faults: list[Fault | None]):
        server = standing[0]
        server.faults = FaultPlan(faults)
        server.requests.clear()
        server.competition = Competition(drawn, SMALL, tmp_path / "uploads", pending_polls)
        return server, Submissions(kaggle, SLUG, PATIENCE, WAITS)

    return begin


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return Ledger(tmp_path / "submitted")
