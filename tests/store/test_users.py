"""One store of two people of one group, each with an account of their own."""

# Before a process becomes someone who may not read root's Python.
import encodings.ascii  # noqa: F401
import os
import stat
import traceback
from pathlib import Path

import pytest

from carvana.store.store import Store

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can be two people")

GROUP, ONE, OTHER = 54321, 12345, 23456


def as_user(user, function):
    """Run it in a process of this user, who lets the group write; whether it ended well."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(GROUP)
            os.setuid(user)
            os.umask(0o002)
            function()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitpid(process, 0)[1] == 0


@pytest.fixture
def folders(tmp_path):
    """The store, whose new files are the group's, and each one's own folder; others can pass on the way to them."""
    own = [path for path in (tmp_path, *tmp_path.parents) if path.name.startswith(("pytest-", "popen-", "test_"))]
    before = {path: path.stat().st_mode for path in own}
    for path, mode in before.items():
        path.chmod(mode | 0o011)
    made = [tmp_path / name for name in ("store", "one", "other")]
    for path, user in zip(made, (ONE, ONE, OTHER), strict=True):
        path.mkdir()
        os.chown(path, user, GROUP)
    made[0].chmod(0o2775)
    yield made
    for path, mode in before.items():
        path.chmod(mode)


def write(workplace, text="result"):
    (workplace.result / "a").write_text(text)


def test_what_one_made_the_other_takes(folders):
    folder, one, other = folders
    assert as_user(ONE, lambda: Store(folder).obtain({"n": 1}, {"a": one / "a"}, write))

    def fail(workplace):
        raise AssertionError

    assert as_user(OTHER, lambda: Store(folder).obtain({"n": 1}, {"a": other / "a"}, fail))
    assert (other / "a").read_text() == "result"


def test_what_one_began_the_other_continues(folders):
    folder, one, other = folders

    def begin(workplace):
        (workplace.folder / "state").write_text("half")
        os._exit(0)

    assert as_user(ONE, lambda: Store(folder).obtain({"n": 1}, {"a": one / "a"}, begin))

    def go_on(workplace):
        write(workplace, (workplace.folder / "state").read_text() + " and half")
        (workplace.folder / "state").write_text("replaced")

    assert as_user(OTHER, lambda: Store(folder).obtain({"n": 1}, {"a": other / "a"}, go_on))
    assert (other / "a").read_text() == "half and half"
    (entry,) = Path(folder).iterdir()
    assert stat.S_IMODE(entry.stat().st_mode) & 0o020
