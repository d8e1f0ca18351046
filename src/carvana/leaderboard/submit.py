"""Sending a submission once, and waiting until it is scored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from carvana.errors import UserError
from carvana.kaggle.client import Kaggle, Submission
from carvana.kaggle.failures import KaggleError, Kind
from carvana.kaggle.retry import Patience, retrying
from carvana.leaderboard.description import file_mark
from carvana.leaderboard.ledger import Attempt, Ledger

# Failures after which there is certainly no submission.
_REFUSALS: Final = frozenset(
    {Kind.UNAUTHORIZED, Kind.RULES, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.REFUSED, Kind.RATE_LIMIT}
)


class _OutcomeUnknownError(Exception):
    """Kaggle may or may not have the submission."""


@dataclass(frozen=True)
class Waits:
    """How long to look at the competition's list of submissions again and again; all in seconds.

    Attributes:
        first: wait before the second look, doubled before each further one.
        longest: wait between two looks.
        scored: in all, until a submission is scored.
        settled: in all, until a submission is in the list that may have arrived.
    """

    first: float = 5
    longest: float = 60
    scored: float = 3600
    settled: float = 120

    def looks(self, total: float) -> Iterator[None]:
        """One turn at once, then one after each wait, until `total` seconds have passed."""
        end = time.monotonic() + total
        wait = self.first
        yield
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(wait, left))
            wait = min(2 * wait, self.longest)
            yield


@dataclass(frozen=True)
class Submissions:
    """The user's submissions to one competition.

    Attributes:
        kaggle: the competition.
        competition: its name in Kaggle's addresses.
        patience: for failures that may pass.
        waits: for what Kaggle takes its time to do.
    """

    kaggle: Kaggle
    competition: str
    patience: Patience
    waits: Waits

    @property
    def page(self) -> str:
        """Where a person sees them."""
        return f"https://www.kaggle.com/c/{self.competition}/submissions"

    def send_once(self, ledger: Ledger, file: Path, sha256: str, description: str) -> int:
        """Send a file unless it was sent before, from here or from elsewhere.

        Args:
            ledger: of what was sent from here.
            file: checked already.
            sha256: of the file.
            description: with the file's mark (see `description.describe`).

        Returns:
            The submission's reference, above 0.

        Raises:
            UserError: it was refused, or an attempt's outcome is not known; then it is not sent again.
        """
        attempt = ledger.find(self.competition, sha256)
        if attempt and attempt.reference:
            return attempt.reference
        if attempt:
            reference = self._settled(ledger, attempt, "was interrupted")
        else:
            listed = self._in_list(sha256)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            attempt = Attempt(self.competition, sha256, file.name, description, now)
            ledger.begin(attempt)
            reference = listed or self._send(ledger, attempt, file)
        ledger.confirm(attempt, reference)
        return reference

    def wait_for_score(self, reference: int, say: Callable[[str], None] = print) -> Submission:
        """Look at the list until the submission has both scores.

        Args:
            reference: of the submission.
            say: gets a line when something has changed.

        Raises:
            UserError: it could not be scored, or not in time, or is not listed at all.
        """
        state, begun = "", time.monotonic()
        for _ in self.waits.looks(self.waits.scored):
            found = next((one for one in self._list() if one.ref == reference), None)
            if found is None and time.monotonic() - begun >= self.waits.settled:
                raise UserError(
                    f"submission {reference} is not in Kaggle's list of your submissions to {self.competition}; was it"
                    f" sent with another account? See {self.page}"
                )
            if found is not None and found.status == "ERROR":
                reason = found.error or "it gives no reason"
                raise UserError(f"Kaggle could not score submission {reference}: {reason}; see {self.page}")
            if found is not None and found.status == "COMPLETE" and not _missing(found):
                return found
            if state != (now := _state(found)):
                state = now
                say(f"submission {reference} {state}")
        raise UserError(
            f"submission {reference} was not scored within {self.waits.scored:g} s: it {state}. Run the command again"
            f" later (it is not sent again), and see {self.page}"
        )

    def _send(self, ledger: Ledger, attempt: Attempt, file: Path) -> int:
        try:
            return retrying(lambda: self._attempt(file, attempt.description), self.patience)
        except KaggleError:
            ledger.withdraw(attempt)
            raise
        except _OutcomeUnknownError as error:
            return self._settled(ledger, attempt, f"ended without a clear answer ({error})")

    def _attempt(self, file: Path, description: str) -> int:
        """Send the file, which may be tried again after a KaggleError and may not after an _OutcomeUnknownError."""
        try:
            return self.kaggle.submit(file, description)
        except KaggleError as error:
            if _is_certainly_not_sent(error):
                raise
            raise _OutcomeUnknownError(str(error)) from error

    def _list(self) -> tuple[Submission, ...]:
        return retrying(self.kaggle.submissions, self.patience)

    def _in_list(self, sha256: str) -> int | None:
        mark = file_mark(sha256)
        return min((one.ref for one in self._list() if mark in one.description), default=None)

    def _settled(self, ledger: Ledger, attempt: Attempt, what: str) -> int:
        """The reference of a submission that may have arrived, once it is listed. Raises UserError if it never is."""
        for _ in self.waits.looks(self.waits.settled):
            if reference := self._in_list(attempt.sha256):
                return reference
        raise UserError(
            f"the attempt of {attempt.begun} to submit {attempt.file} {what}, and Kaggle's list of your submissions"
            f" does not show it. It is not sent a second time. Look at {self.page}: if it is there, run the command"
            f" again; if it is not, delete {ledger.path(attempt.competition, attempt.sha256)} and run the command again"
        )


def _is_certainly_not_sent(error: KaggleError) -> bool:
    """Whether the failure proves that Kaggle made no submission of the file."""
    return error.kind in _REFUSALS or error.asked not in ("", "CreateSubmission")


def _missing(found: Submission) -> str:
    """Which score a submission lacks, if any: an empty field, or something that is no number from 0 to 1."""
    for part, text in (("public", found.public_score), ("private", found.private_score)):
        try:
            if 0 <= float(text) <= 1:
                continue
        except ValueError:
            pass
        return f"{part} score ({text!r})"
    return ""


def _state(found: Submission | None) -> str:
    if found is None:
        return "is not in the list yet"
    return "is being scored" if found.status != "COMPLETE" else f"is complete without a {_missing(found)}"
