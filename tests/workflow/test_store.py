"""Work is never repeated and never taken for other work: one model of `tiny`, in copies of this checkout."""

import os
import signal
import subprocess
import time

import h5py
import pytest

from tests.workflow.checkout import Checkout

MODEL = "linknet34_f04a_clahe"
NOT_RESULTS = ("logs/", "tensorboard/", "data/")
LINE = "from __future__ import annotations\n"

pytestmark = pytest.mark.slow


class OfOneModel(Checkout):
    """A checkout that makes the submission of `MODEL` alone."""

    def __init__(self, folder, store, target=MODEL):
        super().__init__(folder, store, [target])

    def weights(self):
        return [path.read_bytes() for path in sorted(self.run_folder.glob("models/*/*/weights.safetensors"))]

    def submission(self):
        return (self.run_folder / "submissions" / f"{MODEL}.csv.gz").read_bytes()

    def made(self):
        """Logs of trainings and predictions that did not take their result from the store."""
        logs = [*self.run_folder.glob("logs/train/*/*.log"), *self.run_folder.glob("logs/predict/*/*.log")]
        return sorted(path.stem for path in logs if "already made: taken from" not in path.read_text())

    def files(self):
        """Every file of the run under its final name, but for logs and for what says where or how long."""
        found = {}
        for path in self.run_folder.rglob("*"):
            name = path.relative_to(self.run_folder).as_posix()
            if path.is_file() and path.suffix not in (".partial", ".json") and not name.startswith(NOT_RESULTS):
                found[name] = path.read_bytes()
        return found


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("shared") / "store"


@pytest.fixture(scope="module")
def first(tmp_path_factory, store):
    checkout = OfOneModel(tmp_path_factory.mktemp("first"), store)
    checkout.snakemake()
    assert checkout.made() == ["fold0", "fold1", "test-01-of-01"]
    assert checkout.planned() == {}
    return checkout


def test_another_download_of_the_same_trains_nothing_and_taking_an_edit_back_brings_everything_back(first):
    before = first.weights(), first.submission()
    edited = ("src/carvana/data/intake.py", "src/carvana/data/manifest.py", "src/carvana/data/synthetic/dataset.py")
    originals = {path: first.edit(path, LINE, f"{LINE}\nX = 1\n") for path in edited}
    said = first.snakemake()
    assert "rule draw_synthetic:" in said and "rule intake:" in said
    assert first.made() == []
    for path, original in originals.items():
        (first.folder / path).write_text(original)
    first.snakemake()
    assert first.made() == []
    assert (first.weights(), first.submission()) == before


def killed_while_drawing(checkout):
    """Kill Snakemake and its jobs while one of them writes; gives what a second Snakemake said meanwhile."""
    environment = checkout.environment
    running = subprocess.Popen(
        checkout.command(), cwd=checkout.folder, env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while not list(checkout.run_folder.glob("competition/*.partial")):
            assert running.poll() is None
            time.sleep(0.01)
        # However long the second one takes to start, the first one is still at it.
        os.killpg(running.pid, signal.SIGSTOP)
        return checkout.snakemake(check=False)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def test_a_second_snakemake_is_refused_an_interrupted_one_leaves_no_half_file_and_a_new_clone_trains_nothing(
    first, store, tmp_path
):
    clone = OfOneModel(tmp_path, store)
    assert "LockException" in killed_while_drawing(clone)
    whole = first.files()
    assert not clone.files().items() - whole.items()
    clone.snakemake("--unlock")
    clone.snakemake()
    assert clone.made() == []
    assert clone.files() == whole
    assert not list(clone.run_folder.rglob("*.partial"))
    assert clone.planned() == {}
    # Nor has the first one anything to do: files as large as full-size ones are compared by their dates.
    assert "Nothing to be done" in first.snakemake("--dry-run", "--max-checksum-file-size", "1000")


def test_two_data_folders_with_one_store_get_different_weights(first, store, tmp_path):
    other = OfOneModel(tmp_path, store, f"results/tiny/models/{MODEL}/fold0/weights.safetensors")
    other.edit("config/tiny.yaml", "    train_cars: 2", "    seed: 7\n    train_cars: 2")
    other.snakemake()
    assert other.made() == ["fold0"]
    assert not set(other.weights()) & set(first.weights())


def test_a_damaged_shard_is_named_and_only_it_is_made_again(first):
    before = first.submission()
    (shard,) = first.run_folder.glob("predictions/*/*.h5")
    content = bytearray(shard.read_bytes())
    with h5py.File(shard) as store:
        content[store["maps"].id.get_chunk_info(0).byte_offset + 8] ^= 1
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
    assert set(first.planned()) == {"predict", "model_masks", "write_submission"}
    first.snakemake()
    (log,) = first.run_folder.glob("logs/predict/*/*.log")
    assert "is damaged (sums.h5 is not what was stored); it is made anew" in log.read_text()
    assert first.submission() == before
