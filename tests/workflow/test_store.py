"""Work is never repeated and never taken for other work: one model of `tiny`, in copies of this checkout."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")
MODEL = "linknet34_f04a_clahe"

pytestmark = pytest.mark.slow


class Checkout:
    """A copy of the code and of nothing else, with a store that others may share."""

    def __init__(self, folder, store):
        self.folder, self.store = folder, store
        for name in ("src", "workflow", "config", "docker", "envs", "profiles"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        shutil.copy(ROOT / "Snakefile", folder)
        self.run_folder = folder / "results" / "tiny"

    def snakemake(self, *arguments, config=(), check=True, environment=None):
        command = [str(SNAKEMAKE), MODEL, "--cores", "2", *arguments, "--resources", "gpu=0"]
        command += ["--configfile", "config/tiny.yaml", "--config", f"store={self.store}", *config]
        path = f"{SNAKEMAKE.parent}{os.pathsep}{os.environ['PATH']}"
        variables = {**os.environ, "PATH": path, "PYTHONPATH": str(self.folder / "src"), **(environment or {})}
        run = subprocess.run(command, cwd=self.folder, env=variables, capture_output=True, text=True)
        said = run.stdout + run.stderr
        assert not check or run.returncode == 0, said[-5000:]
        return said

    def planned(self, **options):
        """Rule -> number of jobs that would run."""
        said = self.snakemake("--dry-run", **options)
        if "Nothing to be done" in said:
            return {}
        jobs = said.split("Job stats:")[1].split("\ntotal")[0]
        found = {rule: int(count) for rule, count in re.findall(r"^(\w+)\s+(\d+)\s*$", jobs, re.MULTILINE)}
        found.pop(MODEL, None)
        return found

    def edit(self, path, old, new):
        text = (self.folder / path).read_text()
        assert old in text
        (self.folder / path).write_text(text.replace(old, new, 1))
        return text

    def weights(self):
        return [path.read_bytes() for path in sorted(self.run_folder.glob("models/*/*/weights.safetensors"))]

    def submission(self):
        return (self.run_folder / "submissions" / f"{MODEL}.csv.gz").read_bytes()

    def made(self):
        """Logs of trainings and predictions that did not take their result from the store."""
        logs = [*self.run_folder.glob("logs/train/*/*.log"), *self.run_folder.glob("logs/predict/*/*.log")]
        return sorted(path.stem for path in logs if "already made: taken from" not in path.read_text())


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("shared") / "store"


@pytest.fixture(scope="module")
def first(tmp_path_factory, store):
    checkout = Checkout(tmp_path_factory.mktemp("first"), store)
    checkout.snakemake()
    assert checkout.made() == ["fold0", "fold1", "test-01-of-01"]
    assert checkout.planned() == {}
    return checkout


def test_what_reruns_after_an_edit(first):
    def after(path, old, new):
        original = first.edit(path, old, new)
        jobs = first.planned()
        (first.folder / path).write_text(original)
        return jobs

    network, intake = "src/carvana/networks/linknet34.py", "src/carvana/data/intake.py"
    assert after(network, '"""', '# A remark.\n"""More words. ') == {}
    line = "from __future__ import annotations\n"
    assert after("src/carvana/postprocess.py", line, f"{line}\nX = 1\n") == {"model_masks": 1, "submission": 1}
    everything = {"train": 2, "predict": 1, "model_masks": 1, "submission": 1}
    assert after(network, line, f"{line}\nX = 1\n") == everything
    assert after("config/recipes/unet_scratch.yaml", "5.0e-4", "6.0e-4") == {}
    assert after(intake, line, f"{line}\nX = 1\n")["intake"] == 2
    # Taken back, nothing is to be done.
    assert first.planned() == {}


def test_a_change_in_the_intake_with_the_same_result_trains_nothing(first):
    before = first.weights(), first.submission()
    path, line = "src/carvana/data/intake.py", "from __future__ import annotations\n"
    original = first.edit(path, line, f"{line}\nX = 1\n")
    first.snakemake()
    assert first.made() == []
    (first.folder / path).write_text(original)
    first.snakemake()
    assert first.made() == []
    assert (first.weights(), first.submission()) == before


def test_a_new_clone_with_the_same_store_trains_nothing(first, store, tmp_path):
    clone = Checkout(tmp_path, store)
    clone.snakemake()
    assert clone.made() == []
    assert clone.weights() == first.weights()
    assert clone.submission() == first.submission()
    assert clone.planned() == {}


def test_two_data_folders_with_one_store_get_different_weights(first, store, tmp_path):
    other = Checkout(tmp_path, store)
    other.edit("config/tiny.yaml", "    train_cars: 2", "    seed: 7\n    train_cars: 2")
    other.snakemake()
    assert other.made() == ["fold0", "fold1", "test-01-of-01"]
    assert not set(other.weights()) & set(first.weights())
    assert len(set(other.weights())) == 2


def test_a_damaged_shard_is_named_and_only_it_is_made_again(first):
    before = first.submission()
    (shard,) = first.run_folder.glob("predictions/*/*.h5")
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    # The stored file is the same one: its next user finds out too.
    shard.chmod(0o644)
    with shard.open("r+b") as stream:
        stream.write(content)
    (masks,) = first.run_folder.glob("masks/*/test-*.csv")
    # As if merging had never come so far.
    masks.unlink()
    (first.run_folder / "submissions" / f"{MODEL}.csv.gz").unlink()
    said = first.snakemake(check=False)
    assert str(shard.relative_to(first.folder)) in said
    assert "is damaged" in said and "delete the file and run the step that made it again" in said
    shard.unlink()
    jobs = first.planned()
    assert jobs == {"predict": 1, "model_masks": 1, "submission": 1}, jobs
    first.snakemake()
    (log,) = first.run_folder.glob("logs/predict/*/*.log")
    assert "is damaged (sums.h5 is not what was stored); it is made anew" in log.read_text()
    assert first.submission() == before


def test_snakemakes_own_cache_does_not_mix_models_folds_and_data(first, tmp_path):
    """Its collisions were measured: without `key`, one fold got the other's weights."""
    (tmp_path / "cache").mkdir()
    environment = {"SNAKEMAKE_OUTPUT_CACHE": str(tmp_path / "cache")}
    # A name that leads to a store of its own in each checkout: the second one's is empty.
    cached = Checkout(tmp_path / "checkout", "store")
    (cached.folder / "store").symlink_to(first.store)
    cached.snakemake("--cache", environment=environment)
    assert cached.weights() == first.weights()
    assert len(set(cached.weights())) == 2
    again = Checkout(tmp_path / "again", "store")
    again.snakemake("--cache", environment=environment)
    assert again.weights() == first.weights()
    # Snakemake fetched them: no script ran.
    assert {path.read_text() for path in again.run_folder.glob("logs/*/*/*.log") if path.parts[-3] != "merge"} == {""}
    assert not (again.folder / "store").exists()


def test_a_second_snakemake_in_the_same_folder_is_refused_and_harms_nothing(first):
    before = first.submission()
    command = [str(SNAKEMAKE), MODEL, "--cores", "1", "--forceall", "--resources", "gpu=0"]
    command += ["--configfile", "config/tiny.yaml", "--config", f"store={first.store}"]
    path = f"{SNAKEMAKE.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(first.folder / "src")}
    running = subprocess.Popen(command, cwd=first.folder, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert running.stderr is not None
        for line in running.stderr:
            if "draw_synthetic" in line:
                break
        assert "LockException" in first.snakemake("--forceall", check=False)
        # An interrupted run leaves nothing half-written under a final name, and the next one goes on.
        time.sleep(2)
    finally:
        running.kill()
        running.communicate()
    first.snakemake("--unlock")
    first.snakemake()
    assert first.submission() == before
    assert not list(first.run_folder.rglob("*.partial"))
