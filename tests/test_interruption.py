import os
import signal
import subprocess
import sys

import pytest

from carvana.errors import INTERRUPTED, Interrupted
from carvana.interruption import SIGNALS, Interruption, ended_by_signals


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_noted_and_acted_upon_when_asked(number, capsys):
    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match=f"stopped by {signal.Signals(number).name}"), Interruption() as interruption:
        interruption.act()
        os.kill(os.getpid(), number)
        assert interruption.requested
        interruption.act()
    assert signal.getsignal(number) is before
    assert "saving, then ending; the next start continues" in capsys.readouterr().err


@pytest.mark.parametrize("number", SIGNALS)
def test_work_with_nothing_to_save_ends_at_once(number):
    with pytest.raises(Interrupted), ended_by_signals(requeued=True):
        os.kill(os.getpid(), number)
        signal.pause()


@pytest.mark.parametrize("requeued", [True, False])
def test_a_slurm_job_that_would_begin_again_is_not_requeued(tmp_path, monkeypatch, requeued):
    program = tmp_path / "scontrol"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    with pytest.raises(Interrupted), ended_by_signals(requeued):
        os.kill(os.getpid(), signal.SIGUSR1)
        signal.pause()
    assert (tmp_path / "asked").exists() == requeued


def test_a_step_that_takes_too_long_is_not_waited_for():
    code = """
import os, signal, time
from carvana.interruption import Interruption
with Interruption(seconds=0.2):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert run.returncode == INTERRUPTED
    assert "ending with the last saved state" in run.stderr


def test_a_reader_that_is_gone_does_not_keep_a_job_from_saving(tmp_path):
    """Ctrl-C ends what the job writes to as well."""
    code = """
import os, signal, sys
from carvana.errors import main_guard
from carvana.interruption import Interruption
def main():
    with Interruption() as interruption:
        sys.stdin.read()
        print("an epoch's figures")
        os.kill(os.getpid(), signal.SIGINT)
        open(sys.argv[1], "w").write("saved")
        interruption.act()
main_guard(main)
"""
    saved, pipe = tmp_path / "saved", subprocess.PIPE
    command = [sys.executable, "-c", code, str(saved)]
    # Also where Python keeps what is printed until it ends, as it does for a pipe.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    job = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, env=environment)
    assert job.stdin is not None and job.stdout is not None
    job.stdout.close()
    job.stdin.close()
    assert job.wait(timeout=30) == INTERRUPTED
    assert saved.read_text() == "saved"


def test_a_signal_that_comes_while_something_is_printed_does_no_harm():
    """What is printed into a full pipe waits there for its reader, and so does the signal's message."""
    code = """
import os, sys
from carvana.errors import main_guard
from carvana.interruption import Interruption
def main():
    with Interruption() as interruption:
        os.write(1, b"printing")
        print("." * 1_000_000, file=sys.stderr)
        interruption.act()
main_guard(main)
"""
    pipe = subprocess.PIPE
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    job = subprocess.Popen([sys.executable, "-c", code], stdout=pipe, stderr=pipe, env=environment)
    assert job.stdout is not None and job.stderr is not None
    assert job.stdout.read(8) == b"printing"
    # The first of the full pipe's bytes are there: the writing has begun.
    assert job.stderr.read(1) == b"."
    job.send_signal(signal.SIGTERM)
    said = job.stderr.read().decode()
    assert job.wait(timeout=30) == INTERRUPTED, said[-1000:]
    assert "SIGTERM: saving, then ending" in said


def test_a_forked_loading_process_leaves_signals_to_its_parent():
    code = """
import os, signal, time
from carvana.interruption import Interruption
with Interruption() as interruption:
    child = os.fork()
    if not child:
        time.sleep(0.5)
        os._exit(7 if not interruption.requested else 8)
    os.kill(child, signal.SIGTERM)
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=30).returncode == 7


ASKED = """
import os, signal, time
from carvana.interruption import Interruption
with Interruption(seconds=0.2):
    os.kill(os.getpid(), signal.SIGUSR1)
    {body}
"""


@pytest.mark.parametrize(
    ("body", "code", "requeued"),
    [("time.sleep(60)", INTERRUPTED, True), ("pass", 0, False)],
    ids=["a step that is not waited for", "a job that has just ended"],
)
def test_of_jobs_whose_time_is_up_those_that_have_more_to_do_are_requeued(tmp_path, body, code, requeued):
    program = tmp_path / "scontrol"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_JOB_ID": "4711"}
    command = [sys.executable, "-c", ASKED.format(body=body)]
    assert subprocess.run(command, env=environment, timeout=30).returncode == code
    assert (tmp_path / "asked").exists() is requeued
