import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from carvana.errors import UserError
from carvana.keys import digest_of
from carvana.store.claim import Claim, Owner
from carvana.store.store import Store
from tests.services import UNREADABLE

FACTS = {"step": "train", "model": "m", "fold": 0}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


class Work:
    """Makes a file, and counts how often."""

    def __init__(self, content="result"):
        self.content, self.times = content, 0

    def __call__(self, workplace):
        self.times += 1
        workplace.check()
        (workplace.result / "out.txt").write_text(self.content)


def test_what_is_complete_is_taken_and_not_made_again(store, tmp_path, capsys):
    work = Work()
    store.obtain(FACTS, {"out.txt": tmp_path / "one" / "x"}, work)
    assert capsys.readouterr().err == ""
    store.obtain(FACTS, {"out.txt": tmp_path / "two" / "y"}, work)
    assert f"already made: taken from {store.entry(FACTS).folder}\n" == capsys.readouterr().err
    assert work.times == 1
    assert (tmp_path / "one" / "x").read_text() == (tmp_path / "two" / "y").read_text() == "result"


def test_what_was_just_made_cannot_be_pruned_before_it_is_given(store, tmp_path):
    class Outputs(dict[str, Path]):
        def items(self):
            with pytest.raises(UserError, match="is being worked on by process"):
                store.remove(store.entry(FACTS))
            return super().items()

    store.obtain(FACTS, Outputs({"out.txt": tmp_path / "x"}), Work())
    assert (tmp_path / "x").read_text() == "result"


def test_other_facts_are_another_result(store, tmp_path):
    for fold, content in enumerate(("zero", "one")):
        store.obtain({**FACTS, "fold": fold}, {"out.txt": tmp_path / content}, Work(content))
    assert (tmp_path / "zero").read_text() == "zero"
    assert (tmp_path / "one").read_text() == "one"


def test_a_key_does_not_depend_on_the_order_of_facts():
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of({"a": 1, "b": 2}) != digest_of({"a": 2, "b": 1})


def test_begun_work_finds_what_it_left(store, tmp_path):
    def stopped(workplace):
        (workplace.folder / "state-1").write_text("half")
        (workplace.result / "out.txt").write_text("ha")
        raise UserError("stopped")

    def continued(workplace):
        assert not list(workplace.result.iterdir())
        state = (workplace.folder / "state-1").read_text()
        (workplace.result / "out.txt").write_text(state + "whole")

    outputs = {"out.txt": tmp_path / "x"}
    with pytest.raises(UserError, match="stopped"):
        store.obtain(FACTS, outputs, stopped)
    assert not (tmp_path / "x").exists()
    store.obtain(FACTS, outputs, continued)
    assert (tmp_path / "x").read_text() == "halfwhole"
    # What it continued from is not needed any more.
    names = {path.name for path in store.entry(FACTS).folder.iterdir()}
    assert names == {"facts.json", "complete.json", "result", "claim-2", "claim-2.ended"}


def test_a_damaged_result_is_told_and_made_anew(store, tmp_path, capsys):
    work, outputs = Work(), {"out.txt": tmp_path / "x"}
    store.obtain(FACTS, outputs, work)
    stored = store.entry(FACTS).folder / "result" / "out.txt"
    stored.write_text("reSult")
    store.obtain(FACTS, outputs, work)
    assert work.times == 2
    assert "is damaged (out.txt is not what was stored); it is made anew" in capsys.readouterr().err
    assert (tmp_path / "x").read_text() == "result"


def test_a_result_on_a_disk_that_does_not_answer_is_not_made_anew(store, tmp_path):
    outputs = {"out.txt": tmp_path / "x"}
    store.obtain(FACTS, outputs, Work())
    entry = store.entry(FACTS)
    stored = entry.folder / "result" / "out.txt"
    stored.unlink()
    stored.symlink_to(UNREADABLE)
    with pytest.raises(UserError, match=r"cannot be read \(Input/output error\): start again when .* delete it"):
        store.obtain(FACTS, outputs, Work("never"))
    assert entry.complete


def test_results_are_not_copied_and_survive_the_store(store, tmp_path):
    store.obtain(FACTS, {"out.txt": tmp_path / "x"}, Work())
    entry = store.entry(FACTS)
    assert (tmp_path / "x").samefile(entry.folder / "result" / "out.txt")
    # Snakemake makes nothing again that its user may not write to; root may always.
    assert (tmp_path / "x").stat().st_mode & stat.S_IWUSR
    store.remove(entry)
    assert (tmp_path / "x").read_text() == "result"
    assert list(store.entries()) == []


def test_what_another_run_takes_keeps_its_date(store, tmp_path):
    """Else what the first run has made of it would look older than it, and be made again."""
    store.obtain(FACTS, {"out.txt": tmp_path / "x"}, Work())
    os.utime(tmp_path / "x", (1000, 1000))
    store.obtain(FACTS, {"out.txt": tmp_path / "y"}, Work("never"))
    assert (tmp_path / "x").stat().st_mtime == 1000
    assert (tmp_path / "y").read_text() == "result"
    # Snakemake deletes what it makes again: it is the only one then, and gets the file itself.
    (tmp_path / "x").unlink()
    store.obtain(FACTS, {"out.txt": tmp_path / "x"}, Work("never"))
    assert (tmp_path / "x").samefile(store.entry(FACTS).folder / "result" / "out.txt")


def test_a_store_on_another_file_system_is_copied_from(store, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    store.obtain(FACTS, {"out.txt": tmp_path / "x"}, Work())
    monkeypatch.setattr(os, "link", refuse)
    store.obtain(FACTS, {"out.txt": tmp_path / "y"}, Work("never"))
    assert (tmp_path / "y").read_text() == "result"
    assert not (tmp_path / "y").samefile(tmp_path / "x")


def test_a_taken_result_is_newer_than_what_it_was_made_from(store, tmp_path):
    """Snakemake would make it again otherwise."""
    store.obtain(FACTS, {"out.txt": tmp_path / "x"}, Work())
    os.utime(tmp_path / "x", (0, 0))
    (tmp_path / "input").touch()
    store.obtain(FACTS, {"out.txt": tmp_path / "y"}, Work())
    assert (tmp_path / "y").stat().st_mtime >= (tmp_path / "input").stat().st_mtime


def test_two_processes_make_one_result(store, tmp_path):
    code = """
import sys, time
from pathlib import Path
from carvana.store import claim
from carvana.store.store import Store
from tests.services import UNREADABLE
claim.SECONDS_BETWEEN_LOOKS = 0.05
folder, name = Path(sys.argv[1]), sys.argv[2]
def make(workplace):
    with (folder / "made").open("a") as stream:
        stream.write(name)
    time.sleep(0.2)
    (workplace.result / "out.txt").write_text(name)
Store(folder / "store").obtain({"step": "train"}, {"out.txt": folder / name}, make)
"""
    workers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in "abc"]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0]
    made = (tmp_path / "made").read_text()
    assert len(made) == 1
    assert {(tmp_path / name).read_text() for name in "abc"} == {made}


def test_what_is_worked_on_is_not_removed(store):
    entry = store.entry(FACTS)
    with Claim.take(entry.folder, pytest.fail), pytest.raises(UserError, match="is being worked on by process"):
        store.remove(entry)


def test_what_is_begun_while_the_same_is_removed_stays(store, tmp_path, monkeypatch):
    """Whoever waits for an entry begins it anew once it is not there any more, with all of its files."""
    store.obtain(FACTS, {"out.txt": tmp_path / "x"}, Work())
    entry, begun = store.entry(FACTS), []

    def removed_slowly(folder):
        with Claim.take(entry.folder, pytest.fail):
            (entry.folder / "state-1").write_text("half")
            begun.extend([entry.complete, folder.exists()])
        shutil.rmtree(folder)

    monkeypatch.setattr("carvana.store.store.shutil", SimpleNamespace(rmtree=removed_slowly))
    store.remove(entry)
    assert begun == [False, True]
    assert (entry.folder / "state-1").read_text() == "half"
    assert [path.name for path in store.folder.iterdir()] == [entry.key]


def test_looking_at_an_entry_is_not_using_it(store):
    """Of a claim of another machine it must be found out how old it is, by a file made beside it."""
    entry, holder = store.entry(FACTS), replace(Owner.me(), boot="another")
    entry.folder.mkdir(parents=True)
    for name in ("facts.json", "claim-1"):
        (entry.folder / name).write_text(json.dumps(vars(holder)))
        os.utime(entry.folder / name, (1000, 1000))
    assert entry.owner is None
    assert entry.used == 1000


def test_files_of_those_who_wait_stay_when_a_result_is_declared(store, tmp_path):
    def make(workplace):
        (workplace.folder / ".claim-0123").write_text("of another process")
        (workplace.folder / "state-1").write_text("half")
        (workplace.result / "out.txt").write_text("result")

    store.obtain(FACTS, {"out.txt": tmp_path / "x"}, make)
    names = {path.name for path in store.entry(FACTS).folder.iterdir()}
    assert ".claim-0123" in names
    assert "state-1" not in names


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot be worked in .* or name another folder as `store`"):
        Store(tmp_path / "file" / "store").obtain(FACTS, {}, Work())


def test_facts_are_there_for_people(store, tmp_path):
    store.obtain(FACTS, {"out.txt": tmp_path / "x"}, Work())
    (entry,) = store.entries()
    assert entry.facts == FACTS
    assert json.loads((entry.folder / "complete.json").read_text())["files"]["out.txt"]["bytes"] == 6


def test_a_kill_while_results_are_declared_leaves_nothing_declared(tmp_path):
    code = """
import os, signal, sys
from pathlib import Path
from carvana.store import store
def kill(path):
    os.kill(os.getpid(), signal.SIGKILL)
store.flush = kill
def make(workplace):
    (workplace.result / "out.txt").write_text("result")
store.Store(Path(sys.argv[1])).obtain({"step": "train"}, {"out.txt": Path(sys.argv[2])}, make)
"""
    arguments = [sys.executable, "-c", code, str(tmp_path / "store"), str(tmp_path / "x")]
    assert subprocess.run(arguments).returncode == -signal.SIGKILL
    (entry,) = Store(tmp_path / "store").entries()
    assert not entry.complete
    work = Work("again")
    Store(tmp_path / "store").obtain({"step": "train"}, {"out.txt": tmp_path / "x"}, work)
    assert (tmp_path / "x").read_text() == "again"


def test_all_of_a_result_is_on_disk_before_it_is_declared(store, tmp_path, monkeypatch):
    """A power cut could leave a declared result with empty files otherwise."""
    flushed = []
    monkeypatch.setattr(
        "carvana.store.store.flush", lambda path: flushed.append((path.name, store.entry(FACTS).complete))
    )
    store.obtain(FACTS, {"out.txt": tmp_path / "x"}, Work())
    assert flushed == [("out.txt", False), ("result", False)]


def test_whoever_was_overtaken_while_it_worked_declares_nothing(store, tmp_path):
    def overtaken(workplace):
        Work()(workplace)
        # As by another machine, which has not heard of this one for too long.
        (workplace.folder / "claim-2").write_text("{}")

    with pytest.raises(UserError, match="has taken over"):
        store.obtain(FACTS, {"out.txt": tmp_path / "x"}, overtaken)
    assert not store.entry(FACTS).complete and not (tmp_path / "x").exists()


def test_a_result_that_lacks_a_file_is_not_declared(store, tmp_path):
    outputs = {"out.txt": tmp_path / "x", "more.txt": tmp_path / "y"}
    with pytest.raises(ValueError, match=r"\['more\.txt'\] were not made"):
        store.obtain(FACTS, outputs, Work())
    assert not store.entry(FACTS).complete and not (tmp_path / "x").exists()


def test_a_damaged_result_is_not_declared_while_it_is_made_anew(store, tmp_path):
    """Killed then, it would be listed as complete, and `--prune-unfinished` would leave it."""
    declared, outputs = [], {"out.txt": tmp_path / "x"}

    def again(workplace):
        declared.append(store.entry(FACTS).complete)
        Work()(workplace)

    store.obtain(FACTS, outputs, Work())
    (store.entry(FACTS).folder / "result" / "out.txt").write_text("reSult")
    store.obtain(FACTS, outputs, again)
    assert declared == [False]


def test_taking_a_result_is_using_it(store, tmp_path):
    """`store --prune-unused` goes by it."""
    store.obtain(FACTS, {"out.txt": tmp_path / "x"}, Work())
    entry = store.entry(FACTS)
    for path in entry.folder.iterdir():
        os.utime(path, (1000, 1000))
    assert entry.used == 1000
    store.obtain(FACTS, {"out.txt": tmp_path / "y"}, Work("never"))
    assert entry.used > 1000
