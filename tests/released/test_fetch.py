"""The published checkpoint, from a server on loopback through the real script."""

import hashlib
import json
import subprocess
import sys

import pytest

from carvana.errors import UserError
from carvana.fetching import ATTEMPTS
from carvana.released.fetch import blob_hash, fetch_blob
from tests.one_file import OneFile
from tests.programs import SCRIPTS

SCRIPT = SCRIPTS / "fetch_checkpoint.py"
CONTENT = bytes(range(256)) * 5000


def blob_of(content):
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with OneFile("TernausNet.pt", CONTENT) as serving:
        yield serving


def test_a_blobs_hash_is_gits(tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    said = subprocess.run(["git", "hash-object", "file"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert blob_hash(tmp_path / "file") == said.stdout.strip() == blob_of(CONTENT)


def test_the_script_fetches_once_and_writes_a_receipt(server, tmp_path):
    file, receipt = tmp_path / "there" / "TernausNet.pt", tmp_path / "receipt.json"
    arguments = ["--url", server.address, "--blob", blob_of(CONTENT), "--file", file, "--receipt", receipt]
    for _ in range(2):
        subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], check=True)
    assert server.requests == 1
    assert file.read_bytes() == CONTENT
    told = json.loads(receipt.read_text())
    assert told["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert (told["bytes"], told["git_blob"], told["source"]) == (len(CONTENT), blob_of(CONTENT), server.address)


def test_what_broke_off_or_failed_is_fetched_again(server, tmp_path):
    server.behaviours = ["503", "cut", "other bytes"]
    fetch_blob(server.address, tmp_path / "TernausNet.pt", blob_of(CONTENT), pause_seconds=0.01)
    assert (tmp_path / "TernausNet.pt").read_bytes() == CONTENT
    assert server.requests == 4


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [("other bytes", "its git blob is .* expected"), ("404", "the server answered 404")],
)
def test_something_else_is_refused_and_nothing_is_left(behaviour, told, server, tmp_path):
    server.behaviours = [behaviour] * ATTEMPTS
    with pytest.raises(UserError, match=told + r".*get the file elsewhere and put it to"):
        fetch_blob(server.address, tmp_path / "TernausNet.pt", blob_of(CONTENT), pause_seconds=0.01)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_and_is_another_is_refused(server, tmp_path):
    (tmp_path / "TernausNet.pt").write_bytes(b"mine")
    with pytest.raises(UserError, match="is not the published checkpoint"):
        fetch_blob(server.address, tmp_path / "TernausNet.pt", blob_of(CONTENT))
    assert server.requests == 0


def test_what_was_fetched_is_on_disk_before_it_has_its_name(server, tmp_path, monkeypatch):
    path, flushed = tmp_path / "TernausNet.pt", []
    monkeypatch.setattr("carvana.fetching.flush", lambda one: flushed.append((one.name, path.exists())))
    fetch_blob(server.address, path, blob_of(CONTENT))
    assert flushed == [("TernausNet.pt", False), (tmp_path.name, True)]
