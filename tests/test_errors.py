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
