"""A server of one published file, which may send it otherwise at first."""

from __future__ import annotations

import threading

from carvana.standin.answering import AnsweringHandler, LoopbackServer


class OneFile(LoopbackServer):
    """Serves the file at any address.

    Args:
        name: that its address ends in.
        content: of the file.
        behaviours: of the first answers, which are followed by whole ones: an error's status, `cut`, `cut, length not
            stated`, `other bytes`, or `at once`: whole, as soon as two have been asked for.

    Attributes:
        requests: their number.
    """

    def __init__(self, name: str, content: bytes, *behaviours: str) -> None:
        super().__init__(0, _Handler)
        self.name, self.content, self.behaviours = name, content, list(behaviours)
        self.requests = 0
        self.both_begun = threading.Barrier(2)

    @property
    def address(self) -> str:
        """Of the file."""
        return f"{self.url}/published/{self.name}"


class _Handler(AnsweringHandler):
    server: OneFile

    def do_GET(self) -> None:  # noqa: N802 - the superclass's name
        self.server.requests += 1
        behaviour = self.server.behaviours.pop(0) if self.server.behaviours else "whole"
        if behaviour.isdigit():
            self.send_error(int(behaviour))
            return
        content = self.server.content
        self.send_response(200)
        if behaviour != "cut, length not stated":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if behaviour == "other bytes":
            content = bytes(len(content))
        elif behaviour.startswith("cut"):
            content = content[: len(content) // 2]
        elif behaviour == "at once":
            self.server.both_begun.wait()
        self.wfile.write(content)
