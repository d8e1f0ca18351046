import errno
import signal
import subprocess
import sys

import pytest


def test_a_reader_that_has_seen_enough_gets_no_traceback():
    code = """
from carvana.errors import main_guard
def main():
    for number in range(100_000):
        print(number)
main_guard(main)
"""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdout=pipe, stderr=pipe, text=True) as program:
        assert program.stdout is not None and program.stderr is not None
        assert program.stdout.readline() == "0\n"
        program.stdout.close()
        told = program.stderr.read()
    assert program.returncode == 1
    assert "Broken pipe" in told and "Traceback" not in told


def test_a_path_that_cannot_be_used_is_one_line(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path, told in (
        (tmp_path / ("a" * 300), "File name too long; choose a shorter name"),
        (tmp_path / "loop", "Too many levels of symbolic links; mend the links"),
    ):
        program = f"from carvana.errors import main_guard\nmain_guard(lambda: open({str(path)!r}, 'w'))"
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert (run.returncode, run.stderr) == (1, f"error: {path}: {told}\n")


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ("wait()", 130, "interrupted\n"),
        ("with ended_by_signals(requeued=False): wait()", 75, "interrupted: stopped by SIGINT\n"),
    ],
)
def test_ctrl_c_is_one_line_and_the_exit_code_of_who_handles_it(body, code, told):
    # As from a terminal: a shell has background processes, such as these tests may be, ignore SIGINT.
    program = f"""
import signal
import time
signal.signal(signal.SIGINT, signal.default_int_handler)
from carvana.errors import main_guard
from carvana.interruption import ended_by_signals
def wait():
    print("begun", flush=True)
    time.sleep(60)
def main():
    {body}
main_guard(main)
"""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == told
    assert process.returncode == code


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_and_a_used_up_quota_are_one_line(number):
    program = f"""
import os
from carvana.errors import main_guard
def fail():
    raise OSError({number}, os.strerror({number}))
main_guard(fail)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith("error: the disk is full (") and len(run.stderr.splitlines()) == 1
