"""A small competition server on loopback, speaking what the official client speaks (measured with kaggle 2.2.4).

The client reaches it without a patch: KAGGLE_API_ENVIRONMENT=LOCALHOST makes it ask http://localhost, http_proxy leads
these requests to any port, and no_proxy lets download and upload links, which name 127.0.0.1, go there directly.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import socket
import struct
import threading
from collections import Counter
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

from carvana.geometry import Geometry
from carvana.standin.competition import Competition
from carvana.standin.faults import API, Fault, FaultPlan

HTML: Final = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in to go on.</body></html>\n"


class StandIn(ThreadingHTTPServer):
    """The server, for a `with` statement; it serves from a thread of its own until the statement ends.

    Attributes:
        faults: what goes wrong; may be replaced at any time.
        requests: number of requests by endpoint, for tests.
        ranges: the first byte that each request for a file asked for, for tests.
    """

    daemon_threads = True
    # Tests start many; none waits for handlers that stall on purpose.
    block_on_close = False

    def __init__(
        self,
        folder: Path,
        geometry: Geometry,
        uploads: Path,
        faults: FaultPlan | None = None,
        port: int = 0,
        slug: str = "carvana-image-masking-challenge",
        page_size: int = 200,
        pending_polls: int = 1,
    ) -> None:
        """Listen on 127.0.0.1.

        Args:
            folder: in Kaggle's layout, with solution.csv for scoring; see `Competition`.
            geometry: of the masks.
            uploads: where submissions are kept.
            faults: what goes wrong; nothing, unless told.
            port: 0 for any free one.
            slug: the competition's name in addresses.
            page_size: the most files, or submissions, in one page of a listing.
            pending_polls: times that a submission is listed as pending before its score is.
        """
        super().__init__(("127.0.0.1", port), _Handler)
        self.faults = faults or FaultPlan()
        self.competition = Competition(folder, geometry, uploads, pending_polls)
        self.slug = slug
        self.page_size = page_size
        self.user = "standin"
        self.key = secrets.token_hex(16)
        self.token = f"standin-{secrets.token_hex(16)}"
        self.requests: Counter[str] = Counter()
        self.ranges: list[int] = []
        self.expired: set[str] = set()
        self.etags: Counter[str] = Counter()
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def way(self) -> dict[str, str]:
        """The environment variables that lead the client here; the credentials are another matter."""
        return {"KAGGLE_API_ENVIRONMENT": "LOCALHOST", "http_proxy": self.url, "no_proxy": "127.0.0.1"}

    def environment(self) -> dict[str, str]:
        """The environment variables that lead the client here and log it in with user name and key."""
        return {**self.way(), "KAGGLE_USERNAME": self.user, "KAGGLE_KEY": self.key}


class _Reply(Exception):  # noqa: N818 - not an error: the answer to be sent
    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class _Handler(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the server keeps count."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        endpoint = path.rsplit("/", 1)[-1]
        services = {"competitions.CompetitionApiService", "security.OAuthService"}
        if endpoint not in API or path.split("/")[-2] not in services:
            self._json(404, {"code": 404, "message": "no such endpoint"})
            return
        fault = self._take(endpoint)
        if self._is_met(fault):
            return
        try:
            if endpoint != "IntrospectToken":
                self._check_login()
            answer = getattr(self, f"_{endpoint}")(json.loads(body or b"{}"))
        except _Reply as reply:
            self._json(reply.status, reply.body, reply.headers)
        else:
            if fault and fault.action == "lost_answer":
                self._reset()
            elif fault and fault.action == "no_answer":
                self._stall()
            else:
                self._json(200, answer)

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        fault = self._take("file")
        token = parse_qs(parts.query).get("token", [""])[0]
        if fault and fault.action == "expired":
            self.server.expired.add(token)
        if token in self.server.expired:
            self._send(403, b"<Error><Code>ExpiredToken</Code></Error>", {"Content-Type": "application/xml"})
            return
        path = self.server.competition.file(unquote(parts.path.rsplit("/", 1)[-1]))
        if path is None or not token:
            self._send(404, b"no such file", {"Content-Type": "text/plain"})
        elif not self._breaks(fault):
            self._send_file(path, fault)

    def do_PUT(self) -> None:
        fault = self._take("upload")
        if fault and fault.action in {"stall", "reset"}:
            self._breaks(fault)
            return
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._breaks(fault):
            return
        kept = self.server.competition.keep_upload(urlsplit(self.path).path.rsplit("/", 1)[-1], content)
        self._send(200 if kept else 404, b"", {})

    def _take(self, endpoint: str) -> Fault | None:
        self.server.requests[endpoint] += 1
        return self.server.faults.take(endpoint)

    def _is_met(self, fault: Fault | None) -> bool:
        if fault and fault.action == "no_reference":
            self._json(200, {"message": "Successfully submitted"})
            return True
        return self._breaks(fault)

    def _breaks(self, fault: Fault | None) -> bool:
        """Do what the fault asks for instead of an answer; False if there is an answer to be sent."""
        if fault is None or fault.after:
            return False
        if fault.action == "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            self._json(fault.status, {"code": fault.status, "message": fault.message}, headers)
        elif fault.action == "code_in_200":
            self._json(200, {"code": fault.status, "message": fault.message})
        elif fault.action == "html":
            self._send(200, HTML, {"Content-Type": "text/html"})
        elif fault.action == "reset":
            self._reset()
        elif fault.action == "stall":
            self._stall()
        else:
            return False
        return True

    def _reset(self) -> None:
        # A linger of zero seconds: what is closed is reset, not ended.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _stall(self) -> None:
        self.close_connection = True
        self.server.closing.wait()

    def _check_login(self) -> None:
        pair = base64.b64encode(f"{self.server.user}:{self.server.key}".encode()).decode()
        if self.headers.get("Authorization") not in {f"Basic {pair}", f"Bearer {self.server.token}"}:
            raise _Reply(401, {"code": 401, "message": "Unauthenticated"})

    def _check_slug(self, request: Mapping[str, Any]) -> None:
        if request.get("competitionName") != self.server.slug:
            raise _Reply(404, {"code": 404, "message": "Competition not found"})

    def _IntrospectToken(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802 - the client's name
        known = request.get("token") == self.server.token
        return {"active": True, "username": self.server.user} if known else {"active": False}

    def _ListDataFiles(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._check_slug(request)
        first = int(request.get("pageToken") or 0)
        size = min(int(request.get("pageSize", 20)), self.server.page_size)
        files = self.server.competition.files()
        answer: dict[str, Any] = {
            "files": [{"name": path.name, "totalBytes": path.stat().st_size} for path in files[first : first + size]]
        }
        if first + size < len(files):
            answer["nextPageToken"] = str(first + size)
        return answer

    def _DownloadDataFile(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._check_slug(request)
        name = str(request.get("fileName"))
        if self.server.competition.file(name) is None:
            raise _Reply(404, {"code": 404, "message": "File not found"})
        link = f"{self.server.url}/files/{quote(name)}?token={secrets.token_hex(8)}"
        raise _Reply(302, {}, {"Location": link})

    def _StartSubmissionUpload(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._check_slug(request)
        token = self.server.competition.begin_upload(str(request["fileName"]))
        return {"token": token, "createUrl": f"{self.server.url}/upload/{token}"}

    def _CreateSubmission(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._check_slug(request)
        ref = self.server.competition.submit(
            str(request.get("blobFileTokens")),
            str(request.get("submissionDescription", "")),
            self.server.faults.take("score"),
        )
        if ref is None:
            raise _Reply(400, {"code": 400, "message": "No file was uploaded"})
        return {"message": "Successfully submitted", "ref": ref}

    def _ListSubmissions(self, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._check_slug(request)
        page, size = int(request.get("page", 1)), min(int(request.get("pageSize", 20)), self.server.page_size)
        return {"submissions": self.server.competition.submissions(page, size)}

    def _send_file(self, path: Path, fault: Fault | None) -> None:
        action = fault.action if fault else ""
        content = path.read_bytes()
        if action == "new_etag":
            self.server.etags[path.name] += 1
        etag = f'"{hashlib.md5(content).hexdigest()}-{self.server.etags[path.name]}"'
        if action == "wrong_bytes":
            content = bytes(byte ^ 0x55 for byte in content)
        elif action == "empty":
            content = b""
        first = self._range_start(etag)
        self.server.ranges.append(first or 0)
        status = HTTPStatus.OK if first is None else HTTPStatus.PARTIAL_CONTENT
        if first is not None and first >= len(content):
            self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        rest = content[first or 0 :]
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("ETag", etag)
        self.send_header("Last-Modified", formatdate(path.stat().st_mtime, usegmt=True))
        self.send_header("Accept-Ranges", "bytes")
        if first is not None:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        if action != "cut_unannounced":
            self.send_header("Content-Length", str(len(rest)))
        if action.startswith("cut"):
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(rest[: fault.after] if fault and fault.after else rest)
        self.wfile.flush()
        if action == "reset":
            self._reset()
        elif action == "stall":
            self._stall()

    def _range_start(self, etag: str) -> int | None:
        """First byte asked for, or None where the whole file is to be sent."""
        asked = self.headers.get("Range", "")
        if not asked.startswith("bytes=") or self.headers.get("If-Range", etag) != etag:
            return None
        return int(asked.removeprefix("bytes=").split("-")[0])

    def _json(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
