"""A disk, a real one of a few hundred kilobytes, is full while something is written to it."""

import subprocess
import sys

import numpy as np
import pytest

from carvana.errors import Interrupted, UserError
from carvana.store.store import Store
from tests.training.stopped import Training, assert_same, states


def fill(disk, leaving):
    """Occupy the disk but for so many bytes."""
    with (disk / "ballast").open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError:
            stream.truncate(stream.tell() - leaving)


def test_while_a_training_state_is_written(small_disk, tmp_path):
    wanted = Training("unet_vgg11", tmp_path, channels=64).run()
    disk = small_disk(600_000)
    with pytest.raises(Interrupted):
        Training("unet_vgg11", disk, channels=64).run(stop_after=10)
    before = {path.name: path.read_bytes() for path in disk.iterdir()}
    # Enough for a part of the next state.
    fill(disk, leaving=8192)
    with pytest.raises(UserError, match=r"could not be saved .*No space left on device.*: make room"):
        Training("unet_vgg11", disk, seconds=0, channels=64).run()
    (disk / "ballast").unlink()
    assert {path.name: path.read_bytes() for path in disk.iterdir()} == before
    assert_same(Training("unet_vgg11", disk, channels=64).run(), wanted)
    assert states(disk)


SHARD = """
import sys
from pathlib import Path
import numpy as np
from carvana.errors import main_guard
from carvana.maps.mapstore import MapWriter
from carvana.store.store import Store
names = [f"{number:012x}_01.jpg" for number in range(20)]
def make(workplace):
    with MapWriter(workplace.result / "sums.h5", names, (64, 94), "sums", "m", 1) as writer:
        for name in names:
            writer.write(name, np.random.default_rng(0).integers(0, 255, (64, 94), dtype=np.uint16))
store, out = Store(Path(sys.argv[1])), Path(sys.argv[2])
main_guard(lambda: store.obtain({"step": "predict"}, {"sums.h5": out}, make))
"""

SUBMISSION = """
import sys
from pathlib import Path
from carvana.errors import main_guard
from carvana.submission.joining import write_submission
from carvana.submission.mask_table import sample_names
masks, names, out = map(Path, sys.argv[1:])
main_guard(lambda: write_submission([masks], sample_names(names), out))
"""


def told(code, *arguments):
    """What a program says that fails for a full disk."""
    run = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == 1, run.stderr
    assert run.stderr.startswith("error: the disk is full (")
    assert "Traceback" not in run.stderr


def test_while_a_shard_is_written(small_disk, tmp_path):
    disk = small_disk(75_000)
    told(SHARD, disk, tmp_path / "sums.h5")
    assert not (tmp_path / "sums.h5").exists()
    (entry,) = Store(disk).entries()
    assert not entry.complete
    assert list((entry.folder / "result").iterdir()) == []


def test_while_a_submission_is_written(small_disk, tmp_path):
    random = np.random.default_rng(0)
    names = [f"{number:012x}_01.jpg" for number in range(40)]
    lengths = random.integers(1, 3, (len(names), 4000))
    masks = [" ".join(f"{3 * i + 1} {n}" for i, n in enumerate(row)) for row in lengths]
    (tmp_path / "masks.csv").write_text(
        "img,rle_mask\n" + "".join(f"{a},{b}\n" for a, b in zip(names, masks, strict=True))
    )
    (tmp_path / "names.csv").write_text("img,rle_mask\n" + "".join(f"{name},\n" for name in names))
    disk = small_disk(40_960)
    told(SUBMISSION, tmp_path / "masks.csv", tmp_path / "names.csv", disk / "submission.csv.gz")
    assert list(disk.iterdir()) == []
    # With room it would have been written.
    whole = [tmp_path / "masks.csv", tmp_path / "names.csv", tmp_path / "submission.csv.gz"]
    subprocess.run([sys.executable, "-c", SUBMISSION, *map(str, whole)], check=True)
    assert whole[2].stat().st_size > 40_960
