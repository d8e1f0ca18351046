"""What the stand-in does wrong on purpose: a plan of faults for each endpoint, one per request."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from carvana.errors import UserError

# What a fault may do, and where it can be planned. API: the endpoints named below, in camel case. file: GET of a file
# by the link that DownloadDataFile gives. upload: PUT of a submission. score: what becomes of a submission.
ACTIONS: Final = {
    "status": "any endpoint but score: answers `status` with `message`, and `retry_after` if it is given",
    "code_in_200": "API: answers 200 with an error code `status` and a `message` inside",
    "html": "any endpoint but score: answers 200 with a web page",
    "reset": "any endpoint but score: resets the connection, after `after` bytes of a file",
    "stall": "any endpoint but score: sends nothing more, after `after` bytes of a file",
    "cut": "file: ends after `after` bytes, fewer than its Content-Length said",
    "cut_unannounced": "file: ends after `after` bytes, without a Content-Length",
    "wrong_bytes": "file: sends other bytes of the right number",
    "empty": "file: sends no bytes, and says so",
    "new_etag": "file: sends it, from now on with another ETag",
    "expired": "file: answers 403 from now on to this link, as a store does when a link has expired",
    "no_reference": "CreateSubmission: answers without a reference",
    "lost_answer": "API: does what it is asked, and resets the connection instead of saying so",
    "no_answer": "API: does what it is asked, and says nothing",
    "never": "score: stays pending",
    "empty_score": "score: is complete, with empty score fields",
    "error": "score: fails with `message`",
}
API: Final = (
    "IntrospectToken",
    "ListDataFiles",
    "DownloadDataFile",
    "StartSubmissionUpload",
    "CreateSubmission",
    "ListSubmissions",
)
ENDPOINTS: Final = (*API, "file", "upload", "score")

RULES_NOT_ACCEPTED: Final = "You must accept this competition's rules before you'll be able to download files."


@dataclass(frozen=True)
class Fault:
    """One thing done wrong.

    Attributes:
        action: see `ACTIONS`.
        status: HTTP status.
        message: what the error says.
        retry_after: the header's value.
        after: bytes of a file that are sent first.
        repeat: from now on, at every request.
    """

    action: str
    status: int = 500
    message: str = "injected"
    retry_after: str = ""
    after: int = 0
    repeat: bool = False


class FaultPlan:
    """Faults by endpoint; each request takes the next one, and None or the list's end mean that it is served well."""

    def __init__(self, faults: Mapping[str, Sequence[Fault | None]] | None = None) -> None:
        """Raises UserError where an endpoint or an action is not known."""
        self._waiting = {endpoint: list(given) for endpoint, given in (faults or {}).items()}
        self._lock = threading.Lock()
        for endpoint, given in self._waiting.items():
            unknown = {fault.action for fault in given if fault is not None} - ACTIONS.keys()
            if endpoint not in ENDPOINTS or unknown:
                raise UserError(
                    f"no such fault: {endpoint} {' '.join(sorted(unknown))}; endpoints are {', '.join(ENDPOINTS)},"
                    f" actions {', '.join(ACTIONS)}"
                )

    @classmethod
    def from_json(cls, given: Mapping[str, Sequence[Mapping[str, Any] | None]]) -> FaultPlan:
        """From {endpoint: [{"action": ..., ...}, null, ...]}. Raises UserError if it is not of that form."""
        try:
            return cls(
                {endpoint: [Fault(**one) if one else None for one in faults] for endpoint, faults in given.items()}
            )
        except (TypeError, AttributeError) as error:
            raise UserError(f"the plan of faults is malformed ({error})") from None

    def take(self, endpoint: str) -> Fault | None:
        """What the request that has just come meets."""
        with self._lock:
            waiting = self._waiting.get(endpoint)
            if not waiting:
                return None
            if waiting[0] is not None and waiting[0].repeat:
                return waiting[0]
            return waiting.pop(0)
