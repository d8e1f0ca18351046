"""The real kaggle package downloads from a stand-in that goes wrong: it ends with the right bytes, or with an error."""

import base64
import contextlib
import hashlib
import os
import random
import shutil
import stat
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from carvana.errors import UserError
from carvana.kaggle.client import Kaggle, RemoteFile
from carvana.kaggle.content import WrongContentError, agrees, verified
from carvana.kaggle.credentials import find_credentials
from carvana.kaggle.download import STARTS, Wanted, choose, obtain
from carvana.kaggle.failures import KaggleError, Kind
from carvana.kaggle.local_file import STATE, LocalFile
from carvana.kaggle.retry import Patience
from carvana.standin.faults import RULES_NOT_ACCEPTED, Fault, FaultPlan
from carvana.standin.server import StandIn
from tests.kaggle.conftest import SLUG, STALL
from tests.programs import SCRIPTS
from tests.services import small_disk

WANTED = Wanted("train_hq", ["train_hq.zip"])
MEBIBYTE = 1 << 20


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """A competition of one file of 3 MiB: the package resumes at whole MiB."""
    folder = tmp_path_factory.mktemp("large")
    write_zip(folder / "train_hq.zip", seed=1)
    return folder


def write_zip(path, seed, size=3 * MEBIBYTE):
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3):
            content = random.Random(f"{seed} {number}").randbytes(size // 3)
            archive.writestr(zipfile.ZipInfo(f"train_hq/{number}.jpg"), content)


@dataclass
class Download:
    """A folder that downloads go to, and how they are done."""

    server: StandIn
    folder: Path
    attempts: int = 4
    stall: float = STALL
    slept: list[float] = field(default_factory=list)
    changes: dict[str, str] = field(default_factory=dict)

    def obtain(self, wanted: Wanted = WANTED):
        environment = {**os.environ, **self.server.environment(), **self.changes}
        patience = Patience(attempts=self.attempts, first_pause=0.01, stall=self.stall, sleep=self.slept.append)

        def connect(lock: int) -> Kaggle:
            credentials = find_credentials(environment, self.folder)
            return Kaggle(SLUG, credentials, patience.stall, environment, keep_open=(lock,))

        return obtain(wanted, self.folder, connect, patience, quiet=True)

    def holds_the_right_bytes(self, name: str = "train_hq.zip") -> bool:
        return (self.folder / name).read_bytes() == (self.server.competition.folder / name).read_bytes()

    @property
    def visible(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("[!.]*"))

    @property
    def left(self) -> list[str]:
        """What has arrived of a file without being it."""
        return sorted(path.name for path in (self.folder / STATE).glob("*/*"))


@pytest.fixture
def download(serve, drawn, tmp_path, capfd):
    """download(endpoint=[faults], ...); no secret may be said whatever happens."""
    made: list[Download] = []

    def make(folder: Path = drawn, **faults: list[Fault | None]) -> Download:
        server = serve(folder=folder, **faults)
        made.append(Download(server, tmp_path / "data"))
        return made[-1]

    yield make
    said = "".join(capfd.readouterr())
    for one in made:
        pair = base64.b64encode(f"{one.server.user}:{one.server.key}".encode()).decode()
        for secret in (one.server.key, one.server.token, pair, "?token="):
            assert secret not in said
            for path in one.folder.rglob("*"):
                assert not path.is_file() or secret.encode() not in path.read_bytes()


def test_every_file_arrives_and_is_recorded(download, drawn):
    one = download()
    record = one.obtain()
    content = (drawn / "train_hq.zip").read_bytes()
    assert one.holds_the_right_bytes()
    assert (record.bytes, record.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert record.members == 16
    assert one.left == []
    one.obtain(Wanted("metadata", ["metadata.csv.zip", "metadata.csv"]))
    assert one.visible == ["metadata.csv", "train_hq.zip"]


def test_what_is_verified_is_not_read_or_asked_for_again(download):
    one = download()
    record = one.obtain()
    path = one.folder / "train_hq.zip"
    # Were it read, this would be seen.
    path.write_bytes(bytes(record.bytes))
    os.utime(path, ns=(record.modified_ns, record.modified_ns))
    one.server.requests.clear()
    one.changes = {"KAGGLE_USERNAME": ""}
    assert one.obtain() == record
    assert not one.server.requests


def test_a_touched_file_is_read_again_and_kept(download):
    one = download()
    record = one.obtain()
    os.utime(one.folder / "train_hq.zip", ns=(1, 1))
    one.server.requests.clear()
    again = one.obtain()
    assert (again.sha256, again.verified, again.modified_ns) == (record.sha256, record.verified, 1)
    assert not one.server.requests


def test_a_file_that_was_spoilt_later_is_downloaded_again(download):
    one = download()
    record = one.obtain()
    (one.folder / "train_hq.zip").write_bytes(b"x" * record.bytes)
    assert one.obtain().sha256 == record.sha256
    assert one.holds_the_right_bytes()


def test_a_file_that_is_there_already_is_verified_and_kept(download, drawn):
    one = download()
    one.folder.mkdir()
    shutil.copyfile(drawn / "train_hq.zip", one.folder / "train_hq.zip")
    one.obtain()
    assert one.server.requests["file"] == 0
    (one.folder / "train_masks.zip").write_bytes(b"PK half a file")
    one.obtain(Wanted("train_masks", ["train_masks.zip"]))
    assert one.server.requests["file"] == 1
    assert one.holds_the_right_bytes("train_masks.zip")


@pytest.mark.slow
def test_a_file_that_kaggle_replaced_is_not_taken_silently(download, tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    write_zip(served / "train_hq.zip", seed=1, size=3000)
    one = download(served)
    one.obtain()
    (one.folder / "train_hq.zip").unlink()
    write_zip(served / "train_hq.zip", seed=2, size=3000)
    for _ in range(2):
        with pytest.raises(UserError, match=r"Kaggle has changed train_hq\.zip: .*name a new run"):
            one.obtain()
        assert one.visible == []
    (one.folder / STATE / "train_hq.json").unlink()
    one.obtain()
    assert one.holds_the_right_bytes()


def test_a_file_that_kaggle_does_not_list(download):
    with pytest.raises(
        UserError, match=r"lists no extra\.zip; it lists metadata\.csv, sample_submission\.csv, test_hq"
    ):
        download().obtain(Wanted("extra", ["extra.zip"]))


def test_the_listed_one_of_several_names_is_chosen():
    wanted = Wanted("metadata", ["metadata.csv.zip", "metadata.csv"])
    packed, plain = RemoteFile("metadata.csv.zip", 1), RemoteFile("metadata.csv", 2)
    assert choose([plain], wanted) == plain
    assert choose([plain, packed], wanted) == packed


@pytest.mark.parametrize(("size", "published", "same"), [(843_000_000, 804, True), (841_000_000, 804, False)])
def test_sizes_are_compared_at_three_digits(size, published, same):
    assert agrees(size, published) is same


def test_credentials_come_before_any_request(download):
    one = download()
    one.changes = {"KAGGLE_KEY": ""}
    with pytest.raises(UserError, match="KAGGLE_KEY is set but empty"):
        one.obtain()
    assert not one.server.requests


@pytest.mark.slow
def test_a_file_on_a_later_page_is_found(serve, tmp_path):
    server = serve(page_size=1)
    one = Download(server, tmp_path / "data")
    one.obtain()
    assert one.holds_the_right_bytes()
    assert server.requests["ListDataFiles"] == 5


PASSING = [
    Fault("status", 429, retry_after="7"),
    Fault("status", 500),
    Fault("status", 503),
    Fault("code_in_200", 500),
    Fault("reset"),
]
LASTING = [
    (Fault("status", 401), Kind.UNAUTHORIZED),
    (Fault("status", 403, RULES_NOT_ACCEPTED), Kind.RULES),
    (Fault("status", 403, "Forbidden"), Kind.FORBIDDEN),
    (Fault("status", 404), Kind.NOT_FOUND),
    (Fault("code_in_200", 403, RULES_NOT_ACCEPTED), Kind.RULES),
]


def named(value: Any) -> str:
    return f"{value.action} {value.status}" if isinstance(value, Fault) else str(value)


@pytest.mark.slow
@pytest.mark.parametrize("fault", PASSING, ids=named)
@pytest.mark.parametrize("endpoint", ["ListDataFiles", "DownloadDataFile"])
def test_what_passes_is_tried_again(download, endpoint, fault):
    one = download(**{endpoint: [fault, fault]})
    one.obtain()
    assert one.holds_the_right_bytes()
    assert len(one.slept) == 2
    assert one.slept == [7, 7] or not fault.retry_after


@pytest.mark.slow
@pytest.mark.parametrize("fault", PASSING, ids=named)
def test_what_does_not_pass_in_the_end_is_an_error(download, fault):
    one = download(DownloadDataFile=[Fault(**{**vars(fault), "repeat": True})])
    with pytest.raises(KaggleError, match=r"^downloading train_hq\.zip: "):
        one.obtain()
    assert one.server.requests["DownloadDataFile"] == one.attempts
    assert one.visible == []


def test_a_wait_beyond_an_hour_is_told_instead(download):
    one = download(ListDataFiles=[Fault("status", 429, retry_after="86400")])
    with pytest.raises(KaggleError, match="wait an hour"):
        one.obtain()
    assert one.slept == []


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "kind"), LASTING, ids=named)
def test_what_lasts_is_told_at_once(download, fault, kind):
    one = download(DownloadDataFile=[fault])
    with pytest.raises(KaggleError, match=f"{SLUG}/rules") as caught:
        one.obtain()
    assert caught.value.kind is kind
    assert one.server.requests["DownloadDataFile"] == 1
    assert one.visible == []


def test_nobody_listens(download):
    one = download()
    one.changes = {"http_proxy": "http://127.0.0.1:9"}
    with pytest.raises(KaggleError, match="cannot be reached") as caught:
        one.obtain()
    assert caught.value.kind is Kind.UNREACHABLE
    assert len(one.slept) == one.attempts - 1


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", ["DownloadDataFile", "file"])
def test_a_stall_is_ended_and_tried_again(download, endpoint):
    one = download(**{endpoint: [Fault("stall")]})
    one.stall = 4
    one.obtain()
    assert one.holds_the_right_bytes()
    assert len(one.slept) == 1


# What the package itself resumes, after a pause of its own of 2 s; the second request then asks for the rest.
@pytest.mark.slow
@pytest.mark.parametrize("action", ["reset", "cut"])
def test_a_break_in_the_middle_is_resumed(download, large, action):
    one = download(large, file=[Fault(action, after=2 * MEBIBYTE + 5)])
    one.obtain()
    assert one.holds_the_right_bytes()
    # After a reset less may have been read than was sent.
    first, second = one.server.ranges
    assert (first, second) == (0, 2 * MEBIBYTE) or action == "reset"
    assert one.slept == []


@pytest.mark.slow
def test_a_stall_in_the_middle_is_resumed_by_a_new_process(download, large):
    one = download(large, file=[Fault("stall", after=2 * MEBIBYTE + 5)])
    one.stall = 4
    one.obtain()
    assert one.holds_the_right_bytes()
    assert one.server.ranges == [0, 0, 2 * MEBIBYTE]


@pytest.fixture
def interrupted(download, tmp_path):
    """A download whose process was killed after 2 of 3 MiB."""
    served = tmp_path / "served"
    served.mkdir()
    write_zip(served / "train_hq.zip", seed=1)
    one = download(served, file=[Fault("stall", after=2 * MEBIBYTE + 5)])
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    arguments = ["--competition", SLUG, "--name", "train_hq", "--files", "train_hq.zip"]
    places = ["--folder", str(one.folder), "--receipt", str(tmp_path / "receipt.json")]
    process = subprocess.Popen(
        [sys.executable, str(SCRIPTS / "download.py"), *arguments, *places, "--quiet"],
        env={**os.environ, **one.server.environment(), "HOME": str(tmp_path), "TMPDIR": str(temporary)},
    )
    partial = one.folder / STATE / "train_hq" / "train_hq.zip"
    while not partial.is_file() or partial.stat().st_size < 2 * MEBIBYTE:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert one.visible == []
    assert one.left == ["train_hq.zip", "train_hq.zip.kaggle-partial"]
    return one


@pytest.mark.slow
def test_a_killed_download_leaves_no_process_no_lock_and_no_folder_and_is_resumed(interrupted, tmp_path):
    interrupted.obtain()
    # The package's process notices by itself that its parent is no more.
    deadline = time.monotonic() + 60
    while left := list((tmp_path / "temporary").iterdir()):
        assert time.monotonic() < deadline, left
        time.sleep(0.02)
    assert interrupted.holds_the_right_bytes()
    assert interrupted.server.ranges == [0, 0, 2 * MEBIBYTE]


@pytest.mark.slow
def test_a_damaged_partial_file_is_not_trusted(interrupted):
    partial = interrupted.folder / STATE / "train_hq" / "train_hq.zip"
    content = bytearray(partial.read_bytes())
    content[MEBIBYTE] ^= 1
    partial.write_bytes(content)
    interrupted.obtain()
    assert interrupted.holds_the_right_bytes()
    # Interrupted; the package's look at the file; the rest of it, which made a wrong one; anew.
    assert interrupted.server.ranges == [0, 0, 2 * MEBIBYTE, 0]


@pytest.mark.slow
def test_another_etag_between_two_runs_begins_anew(interrupted):
    served = interrupted.server.competition.folder / "train_hq.zip"
    write_zip(served, seed=2)
    interrupted.obtain()
    assert interrupted.holds_the_right_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("breaks", ["cut", "reset"])
def test_another_etag_within_a_run_begins_anew(download, large, breaks):
    one = download(large, file=[Fault(breaks, after=2 * MEBIBYTE + 5), Fault("new_etag")])
    one.obtain()
    assert one.holds_the_right_bytes()


# A reset also discards what has arrived and was not read yet, so that hardly anything is there.
@pytest.mark.slow
@pytest.mark.parametrize("breaks", ["cut", "reset"])
def test_a_link_that_expires_while_resuming(download, large, breaks):
    # The package writes the error over what had arrived, and would go on behind it.
    one = download(large, file=[Fault(breaks, after=2 * MEBIBYTE + 5), Fault("expired")])
    one.obtain()
    assert one.holds_the_right_bytes()
    # The one that expired and the one that brought the file: none for a wrong file in between.
    assert one.server.requests["DownloadDataFile"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(("breaks", "status"), [("cut", 429), ("reset", 500), ("cut", 503)])
def test_a_store_that_refuses_while_resuming(download, large, status, breaks):
    one = download(large, file=[Fault(breaks, after=2 * MEBIBYTE + 5), *[Fault("status", status)] * 2])
    one.obtain()
    assert one.holds_the_right_bytes()
    assert one.server.requests["DownloadDataFile"] == 2


WRONG = [
    Fault("cut_unannounced", after=5000),
    Fault("wrong_bytes"),
    Fault("html"),
    Fault("empty"),
]


@pytest.mark.slow
@pytest.mark.parametrize("fault", WRONG, ids=named)
def test_wrong_content_is_deleted_and_downloaded_anew(download, fault):
    one = download(file=[fault])
    one.obtain()
    assert one.holds_the_right_bytes()
    assert one.left == []


@pytest.mark.slow
@pytest.mark.parametrize("fault", WRONG, ids=named)
def test_wrong_content_every_time_is_an_error(download, fault):
    one = download(file=[Fault(**{**vars(fault), "repeat": True})])
    with pytest.raises(
        UserError, match=rf"train_hq\.zip arrived wrong {STARTS} times, the last time because "
    ) as caught:
        one.obtain()
    assert one.visible == one.left == []
    assert ("of a web page" in str(caught.value)) == (fault.action == "html")
    assert one.server.requests["DownloadDataFile"] == STARTS


@pytest.mark.slow
@pytest.mark.parametrize("fault", WRONG, ids=named)
def test_a_wrong_table_is_not_taken_either(download, fault):
    fault = Fault(**{**vars(fault), "after": fault.after and 100})
    one = download(file=[fault])
    one.obtain(Wanted("sample_submission", ["sample_submission.csv.zip", "sample_submission.csv"]))
    assert one.holds_the_right_bytes("sample_submission.csv")


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


UNSAFE = {
    "dots": ("../evil.jpg", b"x", "outside the folder"),
    "absolute": ("/tmp/evil.jpg", b"x", "outside the folder"),
    "link": (link("evil.jpg"), b"/etc/passwd", "is a link"),
    "bomb": ("bomb.jpg", bytes(10**7), "more than the competition's archives hold"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", UNSAFE)
def test_an_unsafe_archive_is_refused_and_not_kept(download, tmp_path, kind):
    name, content, told = UNSAFE[kind]
    served = tmp_path / "served"
    served.mkdir()
    with zipfile.ZipFile(served / "train_hq.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fine.jpg", b"fine")
        archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    one = download(served)
    with pytest.raises(UserError, match=told):
        one.obtain()
    assert one.visible == one.left == []


@pytest.mark.slow
def test_an_archive_with_a_bad_checksum_is_refused_and_not_kept(download, tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    write_zip(served / "train_hq.zip", seed=1, size=3000)
    content = bytearray((served / "train_hq.zip").read_bytes())
    content[500] ^= 1
    (served / "train_hq.zip").write_bytes(content)
    one = download(served)
    with pytest.raises(UserError, match="arrived wrong 3 times, the last time because a checksum in it"):
        one.obtain()
    assert one.visible == one.left == []


def test_a_folder_that_cannot_be_used_is_told(download, tmp_path):
    one = download()
    (tmp_path / "file").touch()
    one.folder = tmp_path / "file"
    with pytest.raises(UserError, match=r"Not a directory; check the disk and the rights of .*file, or set"):
        one.obtain()


def test_two_at_once_download_once(download):
    one = download()
    records: list[object] = []
    threads = [threading.Thread(target=lambda: records.append(one.obtain())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert records[0] == records[1]
    assert one.server.requests["ListDataFiles"] == one.server.requests["file"] == 1
    assert one.holds_the_right_bytes()


@pytest.fixture
def disk_of_4_mebibytes(tmp_path):
    with small_disk(tmp_path / "disk", "4m") as folder:
        yield folder


def test_a_disk_that_is_too_small_is_told_before(download, large, disk_of_4_mebibytes):
    one = download(large)
    one.folder = disk_of_4_mebibytes
    (disk_of_4_mebibytes / "filler").write_bytes(bytes(2 * MEBIBYTE))
    with pytest.raises(KaggleError, match=r"train_hq\.zip needs 0\.00 GiB more and .* make room") as caught:
        one.obtain()
    assert caught.value.kind is Kind.DISK_FULL
    assert one.server.requests["DownloadDataFile"] == 0


@pytest.mark.slow
def test_a_disk_that_fills_meanwhile_is_told_and_what_arrived_is_kept(download, large, disk_of_4_mebibytes):
    one = download(large, file=[Fault("stall", after=2 * MEBIBYTE + 5)])
    one.folder = disk_of_4_mebibytes
    partial = disk_of_4_mebibytes / STATE / "train_hq" / "train_hq.zip"

    def fill() -> None:
        while not partial.is_file() or partial.stat().st_size < 2 * MEBIBYTE:
            time.sleep(0.02)
        (disk_of_4_mebibytes / "filler").write_bytes(bytes(2 * MEBIBYTE - 10**5))

    filling = threading.Thread(target=fill, daemon=True)
    filling.start()
    with pytest.raises(KaggleError) as caught:
        one.obtain()
    assert caught.value.kind is Kind.DISK_FULL
    filling.join()
    (disk_of_4_mebibytes / "filler").unlink()
    one.server.faults = FaultPlan()
    one.obtain()
    assert one.holds_the_right_bytes()
    assert 2 * MEBIBYTE in one.server.ranges


def test_a_file_is_on_disk_before_it_has_its_name(download, monkeypatch):
    """A power cut could leave a recorded file without its content otherwise."""
    one, named = download(), []
    monkeypatch.setattr(
        "carvana.kaggle.download.flush", lambda path: named.append((path.name, list(one.folder.glob("*.zip"))))
    )
    one.obtain()
    assert named == [("train_hq.zip", [])]


def test_an_archive_of_nothing_is_not_the_file(tmp_path):
    path = tmp_path / "train_hq.zip"
    zipfile.ZipFile(path, "w").close()
    with pytest.raises(WrongContentError, match="it is an empty archive"):
        verified(path, RemoteFile(path.name, path.stat().st_size), (), quiet=True)


@pytest.mark.parametrize("factor", [1, 2])
def test_a_size_that_is_not_the_published_one_is_noted(serve, drawn, tmp_path, factor):
    published = factor * (drawn / "train_hq.zip").stat().st_size / MEBIBYTE
    arguments = ["--competition", SLUG, "--name", "train_hq", "--files", "train_hq.zip", "--quiet"]
    arguments += [
        "--folder",
        tmp_path / "data",
        "--receipt",
        tmp_path / "r.json",
        "--published-mebibytes",
        f"{published:.3g}",
    ]
    run = subprocess.run(
        [sys.executable, str(SCRIPTS / "download.py"), *map(str, arguments)],
        env={**os.environ, **serve().environment(), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert ("MiB were published" in run.stdout) is (factor == 2)


def test_a_table_whose_rows_differ_is_not_the_file(tmp_path):
    path = tmp_path / "metadata.csv"
    for text, whole in (("id,year\na,2012\n", True), ("id,year\na\n", False)):
        path.write_text(text)
        with contextlib.nullcontext() if whole else pytest.raises(WrongContentError, match="rows differ in length"):
            verified(path, RemoteFile(path.name, path.stat().st_size), ("id",), quiet=True)


def test_what_is_deleted_and_waited_for_is_told(download, capfd):
    one = download()
    record = one.obtain()
    (one.folder / "train_hq.zip").write_bytes(b"x" * record.bytes)
    with LocalFile(one.folder, WANTED.name).locked():
        waiting = threading.Thread(target=one.obtain)
        waiting.start()
        said, deadline = "", time.monotonic() + 30
        while "another process is at work on train_hq; waiting for it" not in said:
            assert time.monotonic() < deadline
            said += capfd.readouterr().err
            time.sleep(0.02)
    waiting.join()
    assert "train_hq.zip is not the file that was verified any more; it is deleted" in capfd.readouterr().err
