"""The published checkpoint, from a server on loopback through the real script."""

import hashlib
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from carvana.errors import UserError
from carvana.released.fetch import blob_hash, fetch_blob
from tests.programs import SCRIPTS

SCRIPT = SCRIPTS / "fetch_checkpoint.py"
CONTENT = bytes(range(256)) * 5000


def blob_of(content):
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


@pytest.fixture
def server(monkeypatch):
    """Serves `answers` one after the other, and then the last one for ever."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            status, content = found.answers.pop(0) if len(found.answers) > 1 else found.answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(content)
            found.asked += 1

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        asked = 0
        answers = ((200, CONTENT),)

        @property
        def url(self):
            return f"http://127.0.0.1:{self.server_port}/weights/TernausNet.pt"

    found = Server(("127.0.0.1", 0), Answer)
    found.answers = [(200, CONTENT)]  # type: ignore[assignment]
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def test_a_blobs_hash_is_gits(tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    said = subprocess.run(["git", "hash-object", "file"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert blob_hash(tmp_path / "file") == said.stdout.strip() == blob_of(CONTENT)


def test_the_script_fetches_once_and_writes_a_receipt(server, tmp_path):
    file, receipt = tmp_path / "there" / "TernausNet.pt", tmp_path / "receipt.json"
    arguments = ["--url", server.url, "--blob", blob_of(CONTENT), "--file", file, "--receipt", receipt]
    for _ in range(2):
        subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], check=True)
    assert server.asked == 1
    assert file.read_bytes() == CONTENT
    told = json.loads(receipt.read_text())
    assert told["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert (told["bytes"], told["git_blob"], told["source"]) == (len(CONTENT), blob_of(CONTENT), server.url)


def test_what_broke_off_or_failed_is_fetched_again(server, tmp_path):
    server.answers = [(503, b""), (200, CONTENT[:-7]), (200, CONTENT[:-1] + b"x"), (200, CONTENT)]
    fetch_blob(server.url, tmp_path / "TernausNet.pt", blob_of(CONTENT), pause_seconds=0.01)
    assert (tmp_path / "TernausNet.pt").read_bytes() == CONTENT
    assert server.asked == 4


@pytest.mark.parametrize(
    ("answer", "told"),
    [((200, b"x" * len(CONTENT)), "its git blob is .* expected"), ((404, b""), "the server answered 404")],
)
def test_something_else_is_refused_and_nothing_is_left(answer, told, server, tmp_path):
    server.answers = [answer]
    with pytest.raises(UserError, match=told + r".*get the file elsewhere and put it to"):
        fetch_blob(server.url, tmp_path / "TernausNet.pt", blob_of(CONTENT), pause_seconds=0.01)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_and_is_another_is_refused(server, tmp_path):
    (tmp_path / "TernausNet.pt").write_bytes(b"mine")
    with pytest.raises(UserError, match="is not the published checkpoint"):
        fetch_blob(server.url, tmp_path / "TernausNet.pt", blob_of(CONTENT))
    assert server.asked == 0
