import os

import pytest


def test_every_golden_value_was_read(golden_set, golden_modules_not_run):
    if golden_modules_not_run:
        pytest.skip(f"only part of tests/golden runs: without {', '.join(golden_modules_not_run)}")
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.skip("each worker process sees its own tests' reading only")
    assert golden_set.unread() == []
