"""The process in which the kaggle package runs: requests come in as lines of JSON, answers go out as lines of JSON.

A process of its own, because the package prints on import and on failure, ends the program when it finds no
credentials, and makes calls without any timeout: the parent reads what it prints, hides secrets in it, and ends the
process when nothing moves (`carvana.kaggle.process`).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import re
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TextIO

from carvana.kaggle.failures import Facts

# The largest that Kaggle's documentation names.
PAGE_SIZE: Final = 200


def authenticated() -> Any:
    """The package's KaggleApi, logged in. Raises what the package raises, SystemExit included."""
    from kaggle.api.kaggle_api_extended import KaggleApi

    api = KaggleApi()
    api.authenticate()
    return api


def answer(api: Any, call: str, given: dict[str, Any]) -> Any:
    """The result of one call, as JSON holds it; raises what the package raises."""
    competition = given["competition"]
    if call == "files":
        return _files(api, competition)
    if call == "download":
        api.competition_download_file(competition, given["name"], path=given["folder"], quiet=True)
        return None
    if call == "submit":
        # Not quiet: its progress bar is how the parent sees that the upload moves.
        made = api.competition_submit(given["file"], given["description"], competition, quiet=False)
        return {"ref": made.ref, "message": made.message}
    if call == "submissions":
        return _submissions(api, competition)
    raise ValueError(f"no such call: {call}")


def _files(api: Any, competition: str) -> list[dict[str, Any]]:
    files, page = [], ""
    seen = {page}
    while True:
        listed = api.competition_list_files(competition, page_token=page, page_size=PAGE_SIZE)
        files += [{"name": file.name, "bytes": file.total_bytes} for file in listed.files]
        page = listed.next_page_token
        if not page:
            return files
        if page in seen:
            raise ValueError("the listing of files leads in a circle")
        seen.add(page)


def _submissions(api: Any, competition: str) -> list[dict[str, Any]]:
    """All of them; the package hides the token of the next page, so pages are counted until one brings nothing new."""
    found: dict[int, dict[str, Any]] = {}
    for page in itertools.count(1):
        listed = api.competition_submissions(competition, page_number=page, page_size=PAGE_SIZE) or []
        # Kaggle may give shorter pages than it is asked for, so a short one need not be the last.
        new = {one.ref: _told(one) for one in listed if one.ref not in found}
        if not new:
            break
        found |= new
    return list(found.values())


def _told(submission: Any) -> dict[str, Any]:
    return {
        "ref": submission.ref,
        "status": submission.status.name,
        "public_score": submission.public_score,
        "private_score": submission.private_score,
        "description": submission.description,
        "error": submission.error_description,
        "file_name": submission.file_name,
        "date": submission.date.isoformat() if submission.date else "",
    }


def facts_of(error: BaseException) -> Facts:
    """What the parent must know to judge an exception."""
    types = tuple(base.__name__ for base in type(error).__mro__)
    if isinstance(error, SystemExit):
        # The parent always gives credentials, so the package exits because it accepted none.
        return Facts(types, "the kaggle package rejected them", 401)
    response = getattr(error, "response", None)
    number = getattr(error, "errno", None)
    if response is None:
        asked = method_of(getattr(getattr(error, "request", None), "url", ""))
        return Facts(types, str(error), errno=number if isinstance(number, int) else None, asked=asked)
    status, words = response.status_code, str(error)
    if status < 400:
        # An error that is told inside an answer of 200.
        status = response.json().get("code", status)
    asked = method_of(response.url)
    return Facts(types, words, status, bool(asked), response.headers.get("Retry-After"), asked=asked)


def method_of(url: str) -> str:
    """The API's method that an address calls, such as StartSubmissionUpload; "" for other addresses."""
    called = re.search(r"/v1/[\w.]+Service/(\w+)", url)
    return called[1] if called else ""


def _read_requests(stream: TextIO, requests: queue.Queue[dict[str, Any]]) -> None:
    for line in stream:
        requests.put(json.loads(line))
    # The parent is done, or is no more: nobody waits for what a call may still bring, and a parent that was killed has
    # not removed the folder that it made for this process.
    with contextlib.suppress(KeyError, OSError):
        Path(os.environ["KAGGLE_CONFIG_DIR"]).rmdir()
    os._exit(0)


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer requests until the parent closes them."""
    waiting: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_read_requests, args=(requests, waiting), daemon=True).start()
    api = None
    while True:
        request = waiting.get()
        try:
            api = api or authenticated()
            made = {"result": answer(api, request["call"], request["arguments"])}
        except (Exception, SystemExit) as error:
            made = {"error": asdict(facts_of(error))}
        answers.write(json.dumps(made) + "\n")
        answers.flush()


if __name__ == "__main__":
    # Whatever the package prints must not mix with the answers, and the exit() that it calls closes sys.stdin.
    given, told = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with open(os.devnull) as nothing:  # noqa: PTH123 - a device
        os.dup2(nothing.fileno(), 0)
    serve(given, told)
