"""Claims by real processes on one folder."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from carvana.errors import UserError
from carvana.store import claim
from carvana.store.claim import STALE_SECONDS, Claim, Owner, owner

# Claims the folder, works on it alone for a moment, and writes down when.
WORKER = """
import sys, time
from pathlib import Path
from carvana.store import claim
from carvana.store.claim import Claim
claim.SECONDS_BETWEEN_LOOKS = 0.05
folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
with Claim.take(folder, lambda message: print(message, file=sys.stderr, flush=True)) as held:
    (folder / "busy").touch(exist_ok=False)
    print("claimed", flush=True)
    time.sleep(seconds)
    held.check()
    (folder / "busy").unlink()
"""


def start(folder, seconds):
    arguments = [sys.executable, "-c", WORKER, str(folder), str(seconds)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(claim, "SECONDS_BETWEEN_LOOKS", 0.05)


def test_six_processes_work_one_after_the_other(tmp_path):
    workers = [start(tmp_path / "entry", 0.1) for _ in range(6)]
    for worker in workers:
        output, errors = worker.communicate(timeout=60)
        assert (worker.returncode, output) == (0, "claimed\n"), errors


def test_a_killed_process_of_this_machine_is_followed_at_once(tmp_path):
    worker = start(tmp_path, 600)
    assert worker.stdout.readline() == "claimed\n"
    holder = owner(tmp_path)
    assert holder is not None and holder.process == worker.pid
    worker.send_signal(signal.SIGKILL)
    # Not yet waited for: a zombie does not count as alive.
    deadline = time.monotonic() + 10
    while owner(tmp_path) is not None:
        assert time.monotonic() < deadline
    with Claim.take(tmp_path, pytest.fail):
        assert owner(tmp_path) == Owner.me()
    worker.communicate(timeout=60)
    assert owner(tmp_path) is None


def claimed_by(folder, holder, age):
    folder.mkdir(exist_ok=True)
    path = folder / "claim-3"
    path.write_text(json.dumps(holder.__dict__))
    then = time.time() - age
    os.utime(path, (then, then))


@pytest.mark.parametrize("elsewhere", [{"boot": "another"}, {"namespace": "pid:[1]"}])
def test_a_process_elsewhere_is_believed_until_its_heartbeat_is_old(tmp_path, elsewhere):
    """On another machine, or in another container: its number means nothing here."""
    holder = replace(Owner.me(), process=1, started=1, **elsewhere)
    claimed_by(tmp_path, holder, STALE_SECONDS - 20)
    assert owner(tmp_path) == holder
    claimed_by(tmp_path, holder, STALE_SECONDS + 20)
    assert owner(tmp_path) is None


@pytest.mark.parametrize("text", ["", "\0\0", "{}", '{"user": 1', "[]", "null"])
def test_a_damaged_claim_counts_until_its_heartbeat_is_old(tmp_path, text):
    """A power cut can leave a file of zeros or of nothing."""
    path = tmp_path / "claim-3"
    path.write_text(text)
    assert str(owner(tmp_path)) == "a process whose claim is damaged"
    then = time.time() - STALE_SECONDS - 20
    os.utime(path, (then, then))
    assert owner(tmp_path) is None
    with Claim.take(tmp_path, pytest.fail):
        assert owner(tmp_path) == Owner.me()


def test_a_number_that_was_given_to_a_new_process_is_not_the_old_one(tmp_path):
    claimed_by(tmp_path, replace(Owner.me(), started=1), 0)
    assert owner(tmp_path) is None


def test_whoever_was_taken_for_dead_stops_before_writing(tmp_path):
    slow = Claim.take(tmp_path, pytest.fail)
    slow.check()
    # What another machine sees after the heartbeat has stopped for too long.
    claimed_by(tmp_path, replace(Owner.me(), boot="another"), STALE_SECONDS + 20)
    (tmp_path / "claim-1").unlink()
    with Claim.take(tmp_path, pytest.fail) as quick:
        with pytest.raises(UserError, match="has taken over"):
            slow.check()
        quick.check()
    slow.release()


def test_the_heartbeat_is_the_time_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(claim, "HEARTBEAT_SECONDS", 0.02)
    with Claim.take(tmp_path, pytest.fail):
        path = tmp_path / "claim-1"
        os.utime(path, (0, 0))
        deadline = time.monotonic() + 10
        while path.stat().st_mtime == 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_waiting_is_said_once(tmp_path):
    worker = start(tmp_path, 1)
    assert worker.stdout.readline() == "claimed\n"
    said: list[str] = []
    with Claim.take(tmp_path, said.append):
        pass
    (message,) = said
    assert message.startswith(f"waiting for process {worker.pid} of ")
    worker.communicate(timeout=60)


def test_old_claims_do_not_pile_up(tmp_path):
    for _ in range(4):
        with Claim.take(tmp_path, pytest.fail):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claim-4", "claim-4.ended"]


def test_a_claim_outlives_some_heartbeats_and_its_thread_ends_with_it(tmp_path):
    assert STALE_SECONDS > 3 * claim.HEARTBEAT_SECONDS
    with Claim.take(tmp_path, pytest.fail) as held:
        assert held._thread.is_alive()
    held._thread.join(timeout=10)
    assert not held._thread.is_alive()
