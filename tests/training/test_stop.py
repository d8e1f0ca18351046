"""The training script as the workflow starts it, stopped by real signals: it ends as if it had not been."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from carvana.data.manifest import write_manifest
from carvana.errors import INTERRUPTED
from carvana.folds import write_folds
from carvana.store.store import Store
from tests.programs import SCRIPTS

pytestmark = pytest.mark.slow
SCRIPT = SCRIPTS / "train.py"
EPOCHS = 8


class Job:
    """A training of a few seconds, after the imports; its processes are found by `folder`."""

    def __init__(self, folder, manifest, folds):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        write_manifest(manifest, folder / "manifest.csv")
        write_folds(folds, folder / "folds.csv")

    def start(self, workers=0, environment=None, seconds=1000.0):
        arguments = {
            "model": "linknet34_f04a_clahe_rmsprop",
            "edition": "released",
            "fold": 0,
            "manifest": self.folder / "manifest.csv",
            "folds": self.folder / "folds.csv",
            "geometry": "small",
            "epochs": EPOCHS,
            "seed": 0,
            "precision": "exact",
            "gpus-wanted": 1,
            "gpus-granted": 0,
            "threads": 1,
            "workers": workers,
            "weights": self.folder / "weights.safetensors",
            "history": self.folder / "history.csv",
            "recipe": self.folder / "recipe.yaml",
            "timings": self.folder / "timings.json",
            "tensorboard": self.folder / "events",
            "store": self.folder / "store",
            "save-seconds": seconds,
        }
        command = [sys.executable, str(SCRIPT)]
        for name, value in arguments.items():
            command += [f"--{name}", str(value)]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})})

    def results(self):
        return [(self.folder / name).read_bytes() for name in ("weights.safetensors", "history.csv")]

    def written(self):
        """The file of a state that is being written, if one is."""
        return next(self.folder.glob("store/*/state-*.partial"), None)


def wait_for(job, line, before):
    """What was said until a line has `line` in it; `before` is told where that never comes."""
    said = ""
    for text in job.stderr:
        said += text
        if line in text:
            return said
    raise AssertionError(f"{line!r} was not said:\n{said}\nthe starts before: {before}")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, manifest, folds):
    job = Job(tmp_path_factory.mktemp("undisturbed"), manifest, folds)
    process = job.start()
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return job


@dataclass
class Start:
    """One start of the job, and how it ended.

    Attributes:
        said: everything.
        code: the exit code.
        seconds: from what stopped it to its end.
        requeued: what Slurm was asked.
    """

    said: str
    code: int
    seconds: float
    requeued: str


class Stopped:
    """One training, stopped by each of `ways` in turn; every start continues where the one before was stopped."""

    def __init__(self, folder, manifest, folds):
        self.job = Job(folder / "job", manifest, folds)
        self.asked = folder / "asked"
        (folder / "bin").mkdir()
        # Stands for Slurm's program of this name.
        scontrol = folder / "bin" / "scontrol"
        scontrol.write_text(f'#!/bin/sh\necho "$@" > {self.asked}\n')
        scontrol.chmod(0o755)
        self.slurm = {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "SLURM_JOB_ID": "4711"}
        self.starts: dict[str, Start] = {}

    def by(self, way, line, stop, **options):
        """Start, wait until a line has `line` in it, and have `stop` stop the process."""
        process = self.job.start(environment=self.slurm, **options)
        said = wait_for(process, line, self.starts) if line else ""
        stop(process)
        began = time.monotonic()
        said += process.communicate(timeout=300)[1]
        requeued = self.asked.read_text() if self.asked.exists() else ""
        self.asked.unlink(missing_ok=True)
        self.starts[way] = Start(said, process.returncode, time.monotonic() - began, requeued)

    def kill_while_writing(self, process):
        while not self.job.written():
            assert process.poll() is None
        process.kill()
        process.wait()
        assert self.job.written()


def kill_loading_processes(process):
    """Until the training notices: one may have done all that it was asked for."""
    while process.poll() is None:
        for child in loading_processes(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        time.sleep(0.01)


def loading_processes(process):
    try:
        return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, manifest, folds):
    one = Stopped(tmp_path_factory.mktemp("stopped"), manifest, folds)
    one.by("SIGTERM", "epoch 1/8", lambda process: process.send_signal(signal.SIGTERM))
    one.by("SIGINT", "continues from", lambda process: process.send_signal(signal.SIGINT))
    one.by("SIGKILL", "continues from", one.kill_while_writing, seconds=0)
    one.by("SIGUSR1", "continues from", lambda process: process.send_signal(signal.SIGUSR1))
    one.by("a death", "continues from", kill_loading_processes, workers=1)
    assert not (one.job.folder / "weights.safetensors").exists()
    one.by("nothing", "", lambda process: None)
    return one


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1"])
def test_a_signal_saves_and_ends_with_a_code_of_its_own(stopped, name):
    start = stopped.starts[name]
    assert start.code == INTERRUPTED
    assert f"interrupted: stopped by {name}\n" in start.said
    assert start.seconds < 30


def test_only_the_wall_time_signal_requeues_a_slurm_job(stopped):
    """A job that was cancelled must not come back."""
    requeued = {way: start.requeued for way, start in stopped.starts.items() if start.requeued}
    assert requeued == {"SIGUSR1": "requeue 4711\n"}


def test_a_loading_process_that_dies_is_told(stopped):
    start = stopped.starts["a death"]
    assert start.code == 1, start.said
    assert "error: a process that loads images died" in start.said
    assert "Traceback" not in start.said


def test_every_start_continues_and_the_end_is_that_of_an_undisturbed_training(stopped, undisturbed):
    *_, last = stopped.starts.values()
    assert stopped.starts["SIGKILL"].code == -signal.SIGKILL
    assert last.code == 0, last.said
    told = [start.said.partition("\n")[0] for start in stopped.starts.values()][1:]
    assert all(line.startswith("[linknet34_f04a_clahe_rmsprop fold 0] continues from ") for line in told), told
    # Not even the first epoch is trained twice.
    assert ["epoch 1/8" in start.said for start in stopped.starts.values()] == [True, *[False] * 5]
    assert stopped.job.results() == undisturbed.results()


def test_a_second_folder_takes_what_is_complete(undisturbed, tmp_path, manifest, folds):
    job = Job(tmp_path, manifest, folds)
    (tmp_path / "store").symlink_to(undisturbed.folder / "store")
    process = job.start()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.startswith("already made: taken from ")
    assert job.results() == undisturbed.results()


def test_a_finished_training_keeps_its_results_alone(undisturbed):
    (entry,) = Store(undisturbed.folder / "store").entries()
    assert {path.name for path in (entry.folder / "result").iterdir()} == {
        "weights.safetensors",
        "history.csv",
        "recipe.yaml",
        "timings.json",
    }
    assert not list(entry.folder.glob("state-*")) and not list(entry.folder.glob("best-*"))
