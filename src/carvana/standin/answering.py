"""Answers over HTTP from a server on loopback, and the ways in which a fault breaks them."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from carvana.standin.faults import Fault

HTML: Final = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in to go on.</body></html>\n"


class LoopbackServer(ThreadingHTTPServer):
    """A server for a `with` statement; it serves from a thread of its own until the statement ends.

    Attributes:
        closing: set when the statement ends.
    """

    daemon_threads = True
    # Tests start many; none waits for handlers that stall on purpose.
    block_on_close = False

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        """Listen on 127.0.0.1.

        Args:
            port: 0 for any free one.
            handler: of the requests.
        """
        super().__init__(("127.0.0.1", port), handler)
        self.closing = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
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


class AnsweringHandler(BaseHTTPRequestHandler):
    """Sends answers, or does what a fault asks for instead."""

    server: LoopbackServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Serve the connection's requests until it ends, in whichever way."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send an answer; its length is told."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def answer_json(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        """Send a JSON object."""
        self.answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})})

    def answer_file(self, content: bytes, first: int | None, headers: Mapping[str, str], fault: Fault | None) -> None:
        """Send a file, whole or from a byte on, or what a fault makes of it.

        Args:
            content: of the file.
            first: byte that is asked for, see `first_byte`; None: the whole file.
            headers: that describe the file.
            fault: that it meets, if any.
        """
        action = fault.action if fault else ""
        if action == "wrong_bytes":
            content = bytes(byte ^ 0x55 for byte in content)
        elif action == "empty":
            content = b""
        if first is not None and first >= len(content):
            self.answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
            return
        rest = content[first or 0 :]
        self.send_response(HTTPStatus.OK if first is None else HTTPStatus.PARTIAL_CONTENT)
        for name, value in {"Content-Type": "application/octet-stream", **headers, "Accept-Ranges": "bytes"}.items():
            self.send_header(name, value)
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
            self.reset()
        elif action == "stall":
            self.stall()

    def first_byte(self, etag: str) -> int | None:
        """First byte that is asked for of the file with this ETag, or None where the whole file is to be sent."""
        asked = self.headers.get("Range", "")
        if not asked.startswith("bytes=") or self.headers.get("If-Range", etag) != etag:
            return None
        return int(asked.removeprefix("bytes=").split("-")[0])

    def breaks(self, fault: Fault | None) -> bool:
        """Do what the fault asks for instead of an answer; False if there is an answer to be sent."""
        if fault is None or fault.after:
            return False
        if fault.action == "status":
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            self.answer_json(fault.status, {"code": fault.status, "message": fault.message}, headers)
        elif fault.action == "code_in_200":
            self.answer_json(200, {"code": fault.status, "message": fault.message})
        elif fault.action == "html":
            self.answer(200, HTML, {"Content-Type": "text/html"})
        elif fault.action == "reset":
            self.reset()
        elif fault.action == "stall":
            self.stall()
        else:
            return False
        return True

    def reset(self) -> None:
        """Reset the connection."""
        # A linger of zero seconds: what is closed is reset, not ended.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def stall(self) -> None:
        """Send nothing more until the server closes."""
        self.close_connection = True
        self.server.closing.wait()
