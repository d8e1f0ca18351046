"""One published file over HTTP: whole and as expected, or not at all."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Final

from carvana.data.staging import staging
from carvana.errors import UserError
from carvana.files import flush

ATTEMPTS: Final = 4
TIMEOUT_SECONDS: Final = 60
CHUNK_BYTES: Final = 1 << 20


def fetch(url: str, path: Path, problem_of: Callable[[Path], str | None], remedy: str, pause_seconds: float) -> None:
    """Download `url` to `path`.

    Args:
        url: of the file.
        path: where it goes.
        problem_of: says what is wrong with what arrived, if anything; then it is fetched again.
        remedy: for the error: what to do where it cannot be had.
        pause_seconds: before the second attempt; doubled before each further one.

    Raises:
        UserError: the server refuses, cannot be reached, or sends something else.
    """
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(pause_seconds * 2 ** (attempt - 1))
        try:
            # Another run may be fetching the same.
            with staging(path.parent) as folder:
                arrived = folder / path.name
                _download(url, arrived)
                if wrong := problem_of(arrived):
                    raise OSError(f"what arrived is not the published file: {wrong}")
                flush(arrived)
                arrived.replace(path)
                flush(path.parent)
            return
        except urllib.error.HTTPError as error:
            problem = f"the server answered {error.code} {error.reason}"
            if error.code < 500 and error.code != 429:
                break
        except (OSError, HTTPException) as error:
            problem = str(error)
        except ValueError as error:  # not a URL
            problem = str(error)
            break
    raise UserError(f"{url} could not be had: {problem}; {remedy}")


def _download(url: str, path: Path) -> None:
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer, path.open("wb") as stream:
        expected = answer.headers.get("Content-Length")
        received = 0
        while chunk := answer.read(CHUNK_BYTES):
            received += stream.write(chunk)
        if expected is not None and received != int(expected):
            raise OSError(f"{received} of {expected} bytes arrived")
