"""Every command of the README and of docs/ is run by a test; this one sees that none is forgotten, and runs the quick
ones. The tour has its own."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from carvana.revision import ROOT
from tests.pages import PAGES, anchors, commands, links
from tests.programs import with_programs

COMMANDS = dict.fromkeys(command for page in PAGES if page != "tour.md" for command in commands(page))

# Run elsewhere, or too large for any test machine.
BY_OTHERS = {
    "make sample": "tests/workflow/test_sample.py",
    "make verify": "tests/workflow/test_tour.py",
    "make report": "tests/workflow/test_tour.py",
    "python -m carvana show 0b681450a26c_03.jpg --run results/sample": "tests/workflow/test_tour.py",
    "python -m carvana mask photo.jpg --run results/sample": "tests/workflow/test_tour.py",
    "make env": "what every other target begins with",
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
def test_a_command_works(command):
    assert "--dry-run" in command
    run = subprocess.run(
        [*shlex.split(command), "--nolock"], cwd=ROOT, env=with_programs(), capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page):
    folder = ROOT if page == "README.md" else ROOT / "docs"
    for target in links(page):
        path, _, heading = target.partition("#")
        assert not path or (folder / path).is_file(), target
        assert not heading or heading in anchors(Path(path).name or page), target


def test_the_readme_leads_to_every_page():
    assert {f"docs/{page}" for page in PAGES if page != "README.md"} <= set(links("README.md"))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["ternaus", "albu", "asanakoy", "everything"])
def test_the_readme_says_what_plan_says_of_a_target(target):
    arguments = [] if target == "everything" else [target]
    command = [sys.executable, "-m", "carvana", "plan", *arguments]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (hours,) = re.findall(r"([\d,.]+) GPU-hours of training and ([\d,.]+) of prediction", told)
    (disk,) = re.findall(r"([\d.]+) GB of disk", told)
    training, prediction = (f"{float(one.replace(',', '')):,.0f}" for one in hours)
    name = target if target == "everything" else f"`{target}`"
    (row,) = re.findall(rf"^\| {name} \|(.*)\|$", PAGES["README.md"], re.MULTILINE)
    _, told_hours, told_disk, _ = (cell.strip() for cell in row.split("|"))
    assert re.findall(r"[\d,]+", told_hours) == [training, prediction]
    assert told_disk == f"{float(disk):.0f} GB"


@pytest.mark.parametrize("data", ["", "one two"])
def test_files_for_the_sample_are_in_one_folder(data):
    done = subprocess.run(["make", "--dry-run", "sample", f"DATA={data}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0 and "DATA must be the path of one folder" in done.stderr
