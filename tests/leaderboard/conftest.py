"""A small drawn competition behind the stand-in server, reached through the real kaggle client."""

import csv
import gzip
import os
from collections.abc import Callable, Iterator

import pytest

from carvana.data.synthetic.dataset import write_competition
from carvana.geometry import SMALL
from carvana.kaggle.client import Kaggle
from carvana.kaggle.credentials import find_credentials
from carvana.kaggle.retry import Patience
from carvana.leaderboard.ledger import Ledger
from carvana.leaderboard.submit import Submissions, Waits
from carvana.standin.faults import Fault, Plan
from carvana.standin.server import StandIn

SLUG = "drawn-cars"
WAITS = Waits(first=0.02, longest=0.05, scored=1, settled=0.2)
PATIENCE = Patience(attempts=3, first_pause=0.01, longest_wait=5, stall=20)

Start = Callable[..., tuple[StandIn, Submissions]]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("competition")
    write_competition(folder, 5, 1, 1, SMALL.image_size, archives=True)
    return folder


@pytest.fixture(scope="session")
def perfect(drawn, tmp_path_factory):
    """The hidden truth as a submission, its first and last pixels left away: it scores 1."""
    path = tmp_path_factory.mktemp("submissions") / "ensemble.csv.gz"
    with (drawn / "solution.csv").open(newline="") as stream, gzip.open(path, "wt") as packed:
        packed.write("img,rle_mask\n")
        packed.writelines(f"{row['img']},{row['rle_mask']}\n" for row in csv.DictReader(stream))
    return path


@pytest.fixture
def start(drawn, tmp_path) -> Iterator[Start]:
    """Starts a stand-in with faults by endpoint, and gives the user's submissions to its competition."""
    closing: list[StandIn | Kaggle] = []

    def begin(patience=PATIENCE, waits=WAITS, pending_polls=1, **faults: list[Fault | None]):
        server = StandIn(drawn, SMALL, tmp_path / "uploads", Plan(faults), slug=SLUG, pending_polls=pending_polls)
        closing.append(server.__enter__())
        environment = {**os.environ, **server.environment()}
        kaggle = Kaggle(SLUG, find_credentials(environment, tmp_path), patience.stall, environment)
        closing.append(kaggle)
        return server, Submissions(kaggle, SLUG, patience, waits)

    yield begin
    for one in reversed(closing):
        one.__exit__(None, None, None)


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return Ledger(tmp_path / "submitted")
