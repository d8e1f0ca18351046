"""The golden values: what the winners' published programs produced on the libraries of their era.

`tests/golden/data` holds one set of them, made with seed offset 0. Another set of the same form is tested with

    CARVANA_GOLDEN=<folder> CARVANA_GOLDEN_SEED=<offset> pytest tests/golden

Fixtures:

- `golden("ternausnet")`: the arrays of `ternausnet.npz`, as a mapping;
- `golden_json("train_linknet34")`: the JSON file's value; objects are mappings, at any depth;
- `golden_text("rle.txt")`: a text file;
- `golden_offset`: the set's seed offset, and with it `RS(n)` = `numpy.random.RandomState(offset + n)` and
  `smooth_image(n, h, w)`, as the values' documentation uses them. The other formulas (`parameter`, `ellipse_mask`,
  `ensemble_case`) are in `tests.golden.inputs`.

Every value that a test reads is recorded: `test_golden_complete.py` runs last and, when all of this folder ran, fails
if some value of some file was never read. So compare values, and do not loop over a file's keys only to look at them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.golden import inputs

FOLDER = Path(os.environ.get("CARVANA_GOLDEN", Path(__file__).parent / "data"))
OFFSET = int(os.environ.get("CARVANA_GOLDEN_SEED", "0"))


class Recorded(Mapping[str, Any]):
    """A mapping that notes which of its values were read; values that are mappings, or lists of them, do so too."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._read: set[str] = set()
        self._children = {key: recorded(value) for key, value in values.items() if not isinstance(value, np.ndarray)}

    def __getitem__(self, key: str) -> Any:
        value = self._children[key] if key in self._children else self._values[key]
        self._read.add(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def unread(self) -> Iterator[str]:
        """Paths of the values that no test read, such as `adam/val/loss`."""
        for key in self._values:
            if key not in self._read:
                yield key
                continue
            for path in unread(self._children.get(key)):
                yield f"{key}/{path}"


def recorded(value: Any) -> Any:
    if isinstance(value, dict):
        return Recorded(value)
    if isinstance(value, list) and any(isinstance(element, dict) for element in value):
        return [recorded(element) for element in value]
    return value


def unread(value: Any) -> Iterator[str]:
    if isinstance(value, Recorded):
        yield from value.unread()
    elif isinstance(value, list):
        for index, element in enumerate(value):
            for path in unread(element):
                yield f"{index}/{path}"


class GoldenSet:
    """The files of one golden set, read when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Any] = {}

    def file(self, name: str) -> Any:
        if name not in self._files:
            self._files[name] = self._load(self._folder / name)
        return self._files[name]

    def _load(self, path: Path) -> Any:
        if path.suffix == ".npz":
            with np.load(path) as arrays:
                return Recorded(dict(arrays))
        if path.suffix == ".json":
            return recorded(json.loads(path.read_text()))
        return path.read_text()

    def unread(self) -> list[str]:
        """Files that no test opened and values that no test read, as `file: value`."""
        names = sorted(path.name for path in self._folder.iterdir() if path.suffix in {".npz", ".json", ".txt"})
        assert names, f"no golden values in {self._folder}"
        missing = []
        for name in names:
            if name in self._files:
                missing += [f"{name}: {path}" for path in unread(self._files[name])]
            else:
                missing.append(f"{name}: never opened")
        return missing


@pytest.fixture(scope="session")
def golden_set() -> GoldenSet:
    return GoldenSet(FOLDER)


@pytest.fixture(scope="session")
def golden(golden_set: GoldenSet) -> Callable[[str], Mapping[str, Any]]:
    return lambda name: golden_set.file(f"{name}.npz")


@pytest.fixture(scope="session")
def golden_json(golden_set: GoldenSet) -> Callable[[str], Any]:
    return lambda name: golden_set.file(f"{name}.json")


@pytest.fixture(scope="session")
def golden_text(golden_set: GoldenSet) -> Callable[[str], str]:
    return golden_set.file


@pytest.fixture(scope="session")
def golden_offset() -> int:
    return OFFSET


@pytest.fixture(scope="session", name="RS")
def random_state() -> Callable[[int], np.random.RandomState]:
    return lambda n: np.random.RandomState(OFFSET + n)


@pytest.fixture(scope="session")
def smooth_image() -> Callable[[int, int, int], np.ndarray]:
    return lambda n, h, w: inputs.smooth_image(OFFSET + n, h, w)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The test of completeness goes last (the sort is stable)."""
    items.sort(key=lambda item: item.path.name == "test_golden_complete.py")


DESELECTED: set[Path] = set()


def pytest_deselected(items: list[pytest.Item]) -> None:
    DESELECTED.update(item.path for item in items)


@pytest.fixture
def golden_modules_not_run(request: pytest.FixtureRequest) -> list[str]:
    """Test modules of this folder that this session runs in part or not at all."""
    collected = {item.path for item in request.session.items}
    here = Path(__file__).parent
    partial = {path for path in here.glob("test_*.py") if path not in collected} | DESELECTED
    in_part = [item for item in request.config.args if "::" in item]
    return sorted(path.name for path in partial if path.parent == here) + in_part
