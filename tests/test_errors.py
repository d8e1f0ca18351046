import subprocess
import sys


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
