"""The locks in envs/: made from what they say, with hashes, for what is installed here too. No network is needed."""

import importlib.util
import re
import subprocess
import sys

import pytest
from packaging.requirements import Requirement

from carvana.revision import ROOT

ENVS = ROOT / "envs"


def loaded():
    specification = importlib.util.spec_from_file_location("lock", ENVS / "lock.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


lock = loaded()
TEXT = (ENVS / "requirements.txt").read_text()
PINS = {name: (requirement, lines) for name, requirement, lines in lock.pins(TEXT)}


@pytest.mark.parametrize("name", lock.LOCKS)
def test_a_lock_is_fresh(name):
    assert lock.is_fresh(name), f"envs/{name} is stale: run `make lock`"


@pytest.mark.parametrize("changed", ["requirements.in", "requirements-dev.in", "requirements.txt", "settings"])
def test_a_stale_lock_is_seen(tmp_path, monkeypatch, changed):
    for path in ENVS.glob("requirements*"):
        (tmp_path / path.name).write_text(path.read_text())
    monkeypatch.setattr(lock, "HERE", tmp_path)
    assert all(lock.is_fresh(name) for name in lock.LOCKS)
    if changed == "settings":
        monkeypatch.setattr(lock, "SETTINGS", ("--python-version", "3.12"))
    else:
        with (tmp_path / changed).open("a") as stream:
            stream.write("scipy\n")
    assert not all(lock.is_fresh(name) for name in lock.LOCKS)


def test_everything_is_pinned_with_hashes():
    for name in lock.LOCKS:
        found = list(lock.pins((ENVS / name).read_text()))
        assert len(found) > 40
        for _, requirement, lines in found:
            (specifier,) = Requirement(requirement).specifier
            assert specifier.operator == "=="
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", lines), requirement
        # No line is left that is not a pin's.
        text = (ENVS / name).read_text().partition("\n")[2]
        assert "".join(lines for _, _, lines in found) == text


@pytest.mark.parametrize("python", ["3.11", "3.12"])
def test_each_package_has_one_release_for_each_python(python):
    machine = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    names = []
    for requirement in (Requirement(requirement) for _, requirement, _ in lock.pins(TEXT)):
        if requirement.marker is None or requirement.marker.evaluate(machine):
            names.append(requirement.name)
    assert len(names) == len(set(names))
    asked = [Requirement(line).name for line in (ENVS / "requirements.in").read_text().splitlines() if line[0] != "#"]
    assert {name.lower() for name in asked} <= set(names)


def test_what_develops_keeps_to_the_releases_that_run():
    running = {name: requirement for name, (requirement, _) in PINS.items()}
    developing = {name: requirement for name, requirement, _ in lock.pins((ENVS / "requirements-dev.txt").read_text())}
    both = running.keys() & developing.keys()
    assert len(both) > 5
    for name in both:
        assert Requirement(running[name]).specifier == Requirement(developing[name]).specifier
    assert "pytest" not in running and "torch" not in developing


def test_the_conda_form_is_the_locks():
    assert (ENVS / "environment.yaml").read_text() == lock.conda(TEXT)


def printed(option):
    return subprocess.run([sys.executable, ENVS / "lock.py", option], capture_output=True, text=True, check=True).stdout


def test_the_cpu_build_needs_nothing_of_cuda():
    kept = {name for name, _, _ in lock.pins(printed("--without-cuda"))}
    gone = PINS.keys() - kept
    assert {"torch", "torchvision", "triton", "nvidia-cudnn-cu13", "cuda-bindings"} <= gone
    assert all(re.match(r"torch$|torchvision$|triton$|nvidia-|cuda-", name) for name in gone)
    release = PINS["torch"][0].split("==")[1]
    assert printed("--cpu-builds").split()[0] == f"torch=={release}+cpu"
