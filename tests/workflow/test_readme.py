"""Every command of the README is run by a test; this one sees that none is forgotten, and runs the quick ones."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = [line for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]

# Run elsewhere, or too large for any test machine.
BY_OTHERS = {
    "make sample": "tests/workflow/test_sample.py",
    "make verify": "tests/workflow/test_tour.py",
    "make report": "tests/workflow/test_tour.py",
    "python -m carvana show 0b681450a26c_03.jpg --run results/sample": "tests/workflow/test_tour.py",
    "python -m carvana mask photo.jpg --run results/sample": "tests/workflow/test_tour.py",
    "make test": "what runs this test",
    "make test-sample": "what runs tests/workflow/test_sample.py",
    "source .venv/bin/activate": "stands for the PATH that every test here sets",
    "python -m carvana validate submission.csv.gz --names sample_submission.csv": "tests/cli/test_commands.py",
    "python -m carvana score submission.csv.gz --truth solution.csv": "tests/cli/test_commands.py",
    "python -m carvana.standin results/sample/competition": "tests/standin/test_standin.py",
    "python -m carvana plan": "tests/cli/test_status.py",
    "python -m carvana status": "tests/cli/test_status.py",
    "python -m carvana store": "tests/cli/test_status.py",
    "python docker/run.py --help": "tests/container/test_launcher.py",
    "make test-container": "itself; tests/container",
    "make test-slurm": "itself; tests/slurm",
    "snakemake --cores 8 --resources gpu=4": "2,460 GPU-hours; the next command plans it",
}


def test_there_are_commands():
    assert set(BY_OTHERS) < set(COMMANDS)


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in BY_OTHERS])
def test_a_command_of_the_readme_works(command):
    assert "--dry-run" in command
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        [*shlex.split(command), "--nolock"], cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_files_that_the_readme_links_to_are_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).is_file(), target
