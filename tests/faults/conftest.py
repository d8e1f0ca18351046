import contextlib

import pytest

from tests.services import small_disk


@pytest.fixture(name="small_disk")
def several_small_disks(tmp_path):
    """A function that gives a disk of so many bytes."""
    with contextlib.ExitStack() as disks:
        names = (f"disk{number}" for number in range(10))
        yield lambda size: disks.enter_context(small_disk(tmp_path / next(names), str(size)))
