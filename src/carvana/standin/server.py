"""A small competition server on loopback, speaking what the official client speaks (measured with kaggle 2.2.4).

The client reaches it without a patch: KAGGLE_API_ENVIRONMENT=LOCALHOST makes it ask http://localhost, http_proxy leads
these requests to any port, and no_proxy lets download and upload links, which name 127.0.0.1, go there directly.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from carvana.geometry import Geometry
from carvana.standin.answering import AnsweringHandler, LoopbackServer
from carvana.standin.competition import Competition
from carvana.standin.faults import API, Fault, FaultPlan


class StandIn(LoopbackServer):
    """The server, for a `with` statement; see `LoopbackServer`.

    Attributes:
        faults: what goes wrong; may be replaced at any time.
        requests: number of requests by endpoint, for tests.
        ranges: the first byte that each request for a file asked for, for tests.
    """

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
        super().__init__(port, _Handler)
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


class _Handler(AnsweringHandler):
    server: StandIn

    def do_POST(self) -> None:  # noqa: N802 - the superclass's name
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        endpoint = path.rsplit("/", 1)[-1]
        services = {"competitions.CompetitionApiService", "security.OAuthService"}
        if endpoint not in API or path.split("/")[-2] not in services:
            self.answer_json(404, {"code": 404, "message": "no such endpoint"})
            return
        fault = self._take(endpoint)
        if self._is_met(fault):
            return
        try:
            if endpoint != "IntrospectToken":
                self._check_login()
            answer = getattr(self, f"_{endpoint}")(json.loads(body or b"{}"))
        except _Reply as reply:
            self.answer_json(reply.status, reply.body, reply.headers)
        else:
            if fault and fault.action == "lost_answer":
                self.reset()
            elif fault and fault.action == "no_answer":
                self.stall()
            else:
                self.answer_json(200, answer)

    def do_GET(self) -> None:  # noqa: N802
        parts = urlsplit(self.path)
        fault = self._take("file")
        token = parse_qs(parts.query).get("token", [""])[0]
        if fault and fault.action == "expired":
            self.server.expired.add(token)
        if token in self.server.expired:
            self.answer(403, b"<Error><Code>ExpiredToken</Code></Error>", {"Content-Type": "application/xml"})
            return
        path = self.server.competition.file(unquote(parts.path.rsplit("/", 1)[-1]))
        if path is None or not token:
            self.answer(404, b"no such file", {"Content-Type": "text/plain"})
        elif not self.breaks(fault):
            self._send_file(path, fault)

    def do_PUT(self) -> None:  # noqa: N802
        fault = self._take("upload")
        if fault and fault.action in {"stall", "reset"}:
            self.breaks(fault)
            return
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.breaks(fault):
            return
        kept = self.server.competition.keep_upload(urlsplit(self.path).path.rsplit("/", 1)[-1], content)
        self.answer(200 if kept else 404, b"", {})

    def _take(self, endpoint: str) -> Fault | None:
        self.server.requests[endpoint] += 1
        return self.server.faults.take(endpoint)

    def _is_met(self, fault: Fault | None) -> bool:
        if fault and fault.action == "no_reference":
            self.answer_json(200, {"message": "Successfully submitted"})
            return True
        return self.breaks(fault)

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
        if fault and fault.action == "new_etag":
            self.server.etags[path.name] += 1
        content = path.read_bytes()
        etag = f'"{hashlib.md5(content).hexdigest()}-{self.server.etags[path.name]}"'
        first = self.first_byte(etag)
        self.server.ranges.append(first or 0)
        described = {"ETag": etag, "Last-Modified": formatdate(path.stat().st_mtime, usegmt=True)}
        self.answer_file(content, first, described, fault)
