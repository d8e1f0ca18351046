"""Plants each fault of `mutants.py` in a copy of the code, one at a time, and expects its test to fail.

    python -m tests.mutants.run

A fault is caught when an assertion of its test fails; an error of any other kind proves nothing. Exits 1 if a fault
survives.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("src", "config", "tests", "pyproject.toml")


def copy_code(copy: Path) -> None:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy2(ROOT / name, copy / name)


def run_python(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python in the copy, importing the copy's code; without bytecode, which could outlive the source it is of."""
    environment = os.environ | {"PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True)


def run_tests(copy: Path, tests: Sequence[str]) -> tuple[int, list[str], str]:
    """pytest's exit status, the messages of the tests that failed (not of those that broke down), and its output."""
    report = copy / "report.xml"
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", f"--junitxml={report}"]
    process = run_python(copy, "-m", "pytest", *options, *tests)
    failures = [failure.get("message", "") for failure in ElementTree.parse(report).iter("failure")]
    return process.returncode, failures, process.stdout + process.stderr


def caught(copy: Path, mutant: Mutant) -> tuple[bool, str]:
    """Whether the mutant's test notices it, and what pytest said."""
    path = copy / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        return False, f"{mutant.file} holds the text to replace {text.count(mutant.old)} times"
    mutated = text.replace(mutant.old, mutant.new)
    if path.suffix == ".py":
        ast.parse(mutated)
    path.write_text(mutated)
    try:
        status, failures, output = run_tests(copy, [mutant.caught_by])
    finally:
        path.write_text(text)
    return status == 1 and any(message.startswith(("assert", "AssertionError")) for message in failures), output


def run(mutants: Sequence[Mutant], copy: Path) -> list[Mutant]:
    """Print the table; the mutants that survived.

    Raises:
        SystemExit: the tests would import other code than the copy's, or fail without any fault.
    """
    copy_code(copy)
    imported = run_python(copy, "-c", "import carvana; print(carvana.__file__)").stdout.strip()
    if not Path(imported).is_relative_to(copy):
        raise SystemExit(f"the tests would import {imported}, not the copy in {copy}")
    tests = list(dict.fromkeys(mutant.caught_by for mutant in mutants))
    status, _, output = run_tests(copy, tests)
    if status != 0:
        raise SystemExit(f"the tests fail without any fault:\n{output}")
    print(f"{len(tests)} tests pass without any fault. With it:\n")
    width = max(len(mutant.name) for mutant in mutants)
    survivors = []
    for mutant in mutants:
        start = time.monotonic()
        is_caught, output = caught(copy, mutant)
        seconds = time.monotonic() - start
        test = mutant.caught_by.removeprefix("tests/")
        print(f"{mutant.name:{width}}  {'caught by' if is_caught else 'SURVIVES'} {test}  {seconds:.1f} s", flush=True)
        if not is_caught:
            survivors.append(mutant)
            print(output, file=sys.stderr)
    return survivors


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        survivors = run(MUTANTS, Path(folder).resolve())
    print(f"\n{len(MUTANTS)} faults, {len(survivors)} survive")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
