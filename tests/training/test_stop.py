"""The training script as the workflow starts it, stopped by real signals."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from carvana.data.manifest import write_manifest
from carvana.errors import INTERRUPTED
from carvana.folds import write_folds
from carvana.store.store import Store

SCRIPT = Path(__file__).resolve().parents[2] / "workflow" / "scripts" / "train.py"
EPOCHS = 6


class Job:
    """A training of a few seconds, after the imports; its processes are found by `folder`."""

    def __init__(self, folder, manifest, folds):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        write_manifest(manifest, folder / "manifest.csv")
        write_folds(folds, folder / "folds.csv")

    def start(self, workers=0, environment=None, seconds=0.2):
        arguments = {
            "model": "linknet34_f04a_clahe_rmsprop",
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

    def states(self):
        return sorted(path.name for path in self.folder.glob("store/*/state-*.json"))


def wait_for(job, line):
    """What was said until a line has `line` in it."""
    said = ""
    for text in job.stderr:
        said += text
        if line in text:
            return said
    raise AssertionError(f"{line!r} was not said:\n{said}")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, manifest, folds):
    job = Job(tmp_path_factory.mktemp("undisturbed"), manifest, folds)
    process = job.start()
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return job


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_ends_with_its_own_code_and_the_next_start_continues(
    number, undisturbed, tmp_path, manifest, folds
):
    job = Job(tmp_path, manifest, folds)
    process = job.start(seconds=1000)
    wait_for(process, "epoch 3/6")
    process.send_signal(number)
    began = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - began < 30
    assert process.returncode == INTERRUPTED
    assert f"interrupted: stopped by {signal.Signals(number).name}\n" in said
    assert not (tmp_path / "weights.safetensors").exists()
    again = job.start()
    _, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert "[linknet34_f04a_clahe_rmsprop fold 0] continues from " in said
    assert "epoch 3/6" not in said
    assert job.results() == undisturbed.results()


@pytest.mark.slow
def test_killed_at_many_moments_it_ends_the_same(undisturbed, tmp_path, manifest, folds):
    job = Job(tmp_path, manifest, folds)
    kills = 0
    while True:
        process = job.start(seconds=0)
        timer = threading.Timer(6 + 1.37 * kills, process.kill)
        timer.start()
        _, said = process.communicate(timeout=300)
        timer.cancel()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, said
        kills += 1
    assert kills
    assert job.results() == undisturbed.results()


@pytest.mark.slow
def test_the_wall_time_signal_requeues_a_slurm_job(tmp_path, manifest, folds):
    programs = tmp_path / "bin"
    programs.mkdir()
    # Stands for Slurm's program of this name.
    scontrol = programs / "scontrol"
    scontrol.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    scontrol.chmod(0o755)
    job = Job(tmp_path / "job", manifest, folds)
    environment = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "SLURM_JOB_ID": "4711"}
    process = job.start(environment=environment)
    wait_for(process, "epoch 2/6")
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED
    assert (tmp_path / "asked").read_text() == "requeue 4711\n"
    # A job that was cancelled must not come back.
    (tmp_path / "asked").unlink()
    process = job.start(environment=environment)
    wait_for(process, "continues from")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED
    assert not (tmp_path / "asked").exists()


def children(process):
    return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.slow
def test_a_loading_process_that_dies_is_told_and_the_next_start_continues(undisturbed, tmp_path, manifest, folds):
    job = Job(tmp_path, manifest, folds)
    process = job.start(workers=1)
    wait_for(process, "epoch 2/6")
    for child in children(process.pid):
        os.kill(child, signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1, said
    assert "error: a process that loads images died" in said
    assert "Traceback" not in said
    assert job.states()
    again = job.start()
    _, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert "continues from" in said
    assert job.results() == undisturbed.results()


@pytest.mark.slow
def test_a_second_folder_takes_what_is_complete(undisturbed, tmp_path, manifest, folds):
    job = Job(tmp_path, manifest, folds)
    (tmp_path / "store").symlink_to(undisturbed.folder / "store")
    process = job.start()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.startswith("already made: taken from ")
    assert job.results() == undisturbed.results()


@pytest.mark.slow
def test_a_finished_training_keeps_its_results_alone(undisturbed):
    (entry,) = Store(undisturbed.folder / "store").entries()
    assert {path.name for path in (entry.folder / "result").iterdir()} == {
        "weights.safetensors",
        "history.csv",
        "recipe.yaml",
        "timings.json",
    }
    assert not list(entry.folder.glob("state-*")) and not list(entry.folder.glob("best-*"))
