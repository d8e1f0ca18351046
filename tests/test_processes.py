"""Whether a process still runs, as Linux tells it and as other systems do."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from carvana import processes
from carvana.processes import began, numbered_in


@pytest.fixture(params=["linux", "darwin"])
def system(request, monkeypatch):
    monkeypatch.setattr(processes, "sys", SimpleNamespace(platform=request.param))
    return request.param


@pytest.fixture
def other():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_process_began_once(system, other):
    assert began(other.pid) == began(other.pid)
    assert began(os.getpid()) == began(os.getpid()) != began(other.pid)


def test_one_that_has_ended_began_never_be_it_that_its_parent_has_not_noticed(system, other):
    other.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while began(other.pid) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    other.wait()
    assert began(other.pid) is None


def test_where_processes_are_numbered_is_the_same_for_all_of_a_machine(system):
    tell = f"""
import types
from carvana import processes
processes.sys = types.SimpleNamespace(platform={system!r})
print(*processes.numbered_in(), sep="|")
"""
    printed = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "|".join(numbered_in())
