"""The lock's packages, fetched with this machine's pip, as an index that a build can reach."""

from __future__ import annotations

import contextlib
import http.server
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path


def fetch(lock: Path, folder: Path) -> None:
    """Download every package of the lock, hashes checked; what pip has on this machine's disk is taken from there."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--requirement", str(lock)]
    subprocess.run([*command, "--dest", str(folder)], check=True)


class _Index(http.server.SimpleHTTPRequestHandler):
    """PEP 503 over a folder of files."""

    def do_GET(self) -> None:
        asked = re.fullmatch(r"/simple/([^/]+)/?", self.path)
        if not asked:
            super().do_GET()
            return
        files = [path.name for path in Path(self.directory).iterdir() if _project(path.name) == _normal(asked[1])]
        content = "".join(f'<a href="/{name}">{name}</a>\n' for name in files).encode()
        self.send_response(200 if files else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _project(file: str) -> str:
    return _normal(re.split(r"-\d", file)[0])


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The index's address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Index, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
