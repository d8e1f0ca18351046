"""The real kaggle package, unpatched, against the stand-in; nothing here leaves the machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from carvana.geometry import SMALL
from carvana.kaggle.client import Kaggle
from carvana.kaggle.credentials import find_credentials
from carvana.standin.faults import Fault, FaultPlan
from carvana.standin.server import StandIn

SLUG = "carvana-image-masking-challenge"
# Far more than any call here takes; where something stalls on purpose a test says how long it waits.
STALL = 60.0


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def standing(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, Kaggle]]:
    """A stand-in and a client that several tests share, each with its own faults."""
    folder = tmp_path_factory.mktemp("standing")
    with StandIn(drawn, SMALL, folder / "uploads") as server:
        environment = {**os.environ, **server.environment()}
        with Kaggle(SLUG, find_credentials(environment, folder), STALL, environment) as kaggle:
            yield server, kaggle


Serve = Callable[..., StandIn]


@pytest.fixture
def serve(drawn: Path, tmp_path: Path, closing: ExitStack) -> Serve:
    """Starts a stand-in: serve(endpoint=[faults], folder=, ...)."""

    def start(
        folder: Path = drawn, page_size: int = 200, pending_polls: int = 1, **faults: list[Fault | None]
    ) -> StandIn:
        server = StandIn(
            folder, SMALL, tmp_path / "uploads", FaultPlan(faults), page_size=page_size, pending_polls=pending_polls
        )
        return closing.enter_context(server)

    return start


@pytest.fixture
def connect(tmp_path: Path, closing: ExitStack) -> Callable[..., Kaggle]:
    """The project's client, logged in to a stand-in."""

    def start(server: StandIn, stall: float = STALL, **changes: str) -> Kaggle:
        environment = {**os.environ, **server.environment(), **changes}
        credentials = find_credentials(environment, tmp_path)
        return closing.enter_context(Kaggle(SLUG, credentials, stall, environment))

    return start
