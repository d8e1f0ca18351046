import os
import shutil
import subprocess

import pytest

from carvana.computing.environment import computed_in
from carvana.container.launcher import _environment
from carvana.provenance import used_modules
from carvana.revision import ROOT, revision

IMAGE = "sha256:" + "ab" * 32


def git(folder, *arguments):
    command = ["git", "-C", folder, "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with one file, `a`."""
    monkeypatch.delenv("CARVANA_REVISION", raising=False)
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init")
    (folder / "a").write_text("1")
    git(folder, "add", "a")
    git(folder, "commit", "-m", "first")
    return folder


@pytest.fixture
def without_git(tmp_path, monkeypatch):
    """A call for the image's state: there is no git."""

    def remove():
        (tmp_path / "no programs").mkdir()
        monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
        assert shutil.which("git") is None

    return remove


def test_the_commit_says_when_tracked_files_differ_from_it(checkout, monkeypatch):
    commit = git(checkout, "rev-parse", "HEAD")
    assert len(commit) == 40
    (checkout / "results").write_text("is not tracked")
    # What git knows goes before what was said.
    monkeypatch.setenv("CARVANA_REVISION", "another")
    assert revision(checkout) == commit
    (checkout / "a").write_text("2")
    assert revision(checkout) == f"{commit}-dirty"


def test_a_copy_inside_another_repository_has_not_its_commit(checkout, monkeypatch):
    copy = checkout / "copy"
    copy.mkdir()
    assert revision(copy) == "unknown"
    monkeypatch.setenv("CARVANA_REVISION", "34")
    assert revision(copy) == "34"


def test_the_launcher_tells_the_container_its_image_and_the_checkouts_commit(checkout, without_git, monkeypatch):
    passed = _environment(os.environ, checkout, IMAGE, [])
    commit = git(checkout, "rev-parse", "HEAD")
    without_git()
    for name, value in passed.items():
        if name.startswith("CARVANA_"):
            monkeypatch.setenv(name, value)
    computed_in.cache_clear()
    found = computed_in()
    computed_in.cache_clear()
    assert (found["image"], found["revision"]) == (IMAGE, commit)


@pytest.mark.parametrize("script", ["report", "pack_weights"])
def test_what_is_told_does_not_depend_on_how_kaggle_is_asked(script):
    used = used_modules(ROOT / "workflow" / "scripts" / f"{script}.py")
    assert "carvana.revision" in used
    assert [name for name in used if name.startswith("carvana.kaggle")] == []
