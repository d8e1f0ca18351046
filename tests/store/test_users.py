"""One store of two people of one group, each with an account of their own."""

# Before a process becomes someone who may not read root's Python.
import encodings.ascii  # noqa: F401
import os
from functools import partial

import pytest
import torch

from carvana.store.store import Store
from carvana.training.checkpoints import Checkpoints
from carvana.training.snapshot import Snapshot
from tests.accounts import as_user, passable

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="acts as two accounts in turn, which only root can")

GROUP, ONE, OTHER = 54321, 12345, 23456


@pytest.fixture
def folders(tmp_path):
    """The store, whose new files are the group's, and each one's own folder."""
    made = [tmp_path / name for name in ("store", "one", "other")]
    for path, user in zip(made, (ONE, ONE, OTHER), strict=True):
        path.mkdir()
        os.chown(path, user, GROUP)
    made[0].chmod(0o2775)
    with passable(tmp_path):
        yield made


def obtain(user, store, output, make):
    """What the user is told who wants the result; the group may write what comes into being."""

    def run():
        os.umask(0o002)
        Store(store).obtain({"n": 1}, {"a": output}, make)

    return as_user(user, GROUP, [], run)


def test_what_one_made_the_other_takes(folders):
    store, one, other = folders

    def make(workplace):
        (workplace.result / "a").write_text("result")

    def fail(workplace):
        raise AssertionError("made again")

    assert obtain(ONE, store, one / "a", make) == "nothing"
    assert obtain(OTHER, store, other / "a", fail) == "nothing"
    assert (other / "a").read_text() == "result"
    # Snakemake makes nothing again that it may not write to.
    for user, path in ((ONE, one / "a"), (OTHER, other / "a")):
        assert as_user(user, GROUP, [], partial(path.open, "r+")) == "nothing"


def test_what_the_other_may_not_read_is_not_made_again(folders):
    store, one, other = folders

    def make(workplace):
        (workplace.result / "a").write_text("result")
        (workplace.result / "a").chmod(0o600)

    def fail(workplace):
        raise AssertionError("made again")

    assert obtain(ONE, store, one / "a", make) == "nothing"
    told = obtain(OTHER, store, other / "a", fail)
    assert told.startswith(str(store)) and told.endswith(
        "/result/a cannot be read: ask its owner to let you (chmod g+r), or name another folder as `store`"
    )
    assert (one / "a").read_text() == "result"


def test_what_one_began_the_other_continues(folders):
    store, one, other = folders

    def begin(workplace):
        (workplace.folder / "state").write_text("half")
        raise SystemExit(75)

    def go_on(workplace):
        (workplace.result / "a").write_text((workplace.folder / "state").read_text() + " and half")
        (workplace.folder / "state").write_text("replaced")

    assert obtain(ONE, store, one / "a", begin) == "exit 75"
    assert obtain(OTHER, store, other / "a", go_on) == "nothing"
    assert (other / "a").read_text() == "half and half"


def test_a_trainings_states_are_the_others_too(folders):
    store, one, other = folders

    def checkpoints(folder):
        return Checkpoints(folder, lambda: None, pytest.fail)

    def begin(workplace):
        kept = checkpoints(workplace.folder)
        kept.save(Snapshot({"w": torch.ones(2)}, {"next_epoch": 1}), kept.save_best({"w": torch.ones(2)}, 0, {}))
        raise SystemExit(75)

    def go_on(workplace):
        found = checkpoints(workplace.folder).load()
        assert found is not None
        (workplace.result / "a").write_text(f"{found[0].values} {found[1]}")

    assert obtain(ONE, store, one / "a", begin) == "exit 75"
    (state,) = store.glob("*/state-*.safetensors")
    assert {path.stat().st_mode & 0o777 for path in store.glob("*/*.safetensors")} == {0o664}
    state.chmod(0o600)
    # A state that may not be read is none that is damaged.
    assert "Permission denied" in obtain(OTHER, store, other / "a", go_on)
    state.chmod(0o664)
    assert obtain(OTHER, store, other / "a", go_on) == "nothing"
    assert (other / "a").read_text() == "{'next_epoch': 1} best-0001.safetensors"
