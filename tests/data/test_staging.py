import subprocess
import sys

from carvana.data.staging import staging

WORKER = """
import sys, time
from pathlib import Path
from carvana.data.staging import staging

with staging(Path(sys.argv[1])) as folder:
    (folder / "much").write_text("of it")
    print("written", flush=True)
    time.sleep(600)
"""


def test_a_folder_is_gone_at_the_end_and_what_was_moved_out_of_it_stays(tmp_path):
    parent = tmp_path / "deep" / "images"
    with staging(parent) as folder:
        (folder / "image").touch()
        folder.rename(parent / "whole")
    with staging(parent) as folder:
        (folder / "rest").touch()
    assert [path.name for path in parent.iterdir()] == ["whole"]
    assert (parent / "whole/image").exists()


def test_what_a_killed_process_left_is_deleted_and_what_a_living_one_has_is_not(tmp_path):
    with subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == "written\n"
        with staging(tmp_path):
            assert len(list(tmp_path.glob("*/content/much"))) == 1
        worker.kill()
    assert len(list(tmp_path.glob("*/content/much"))) == 1
    with staging(tmp_path):
        assert not list(tmp_path.glob("*/content/much"))
    assert not list(tmp_path.iterdir())
