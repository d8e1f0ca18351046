"""What goes wrong with Kaggle, told apart, and what the user can do about each."""

from __future__ import annotations

import errno
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, Final

from carvana.errors import UserError


class Kind(Enum):
    """Kinds of failures."""

    UNAUTHORIZED = "401"
    RULES = "403, rules not accepted"
    FORBIDDEN = "403, otherwise"
    NOT_FOUND = "404"
    REFUSED = "another 4xx"
    RATE_LIMIT = "429"
    SERVER = "5xx"
    UNREACHABLE = "refused or lost connection"
    STALLED = "no progress"
    BROKEN = "an answer or a transfer that is not whole"
    DISK_FULL = "no space left"
    CLIENT = "the kaggle package itself fails"


# What a retry may overcome.
PASSING: Final = frozenset({Kind.RATE_LIMIT, Kind.SERVER, Kind.UNREACHABLE, Kind.STALLED, Kind.BROKEN})


class KaggleError(UserError):
    """Kaggle, or the way to it, failed.

    Attributes:
        kind: how.
        retry_after: seconds that Kaggle asks to wait; None if it does not.
        asked: which of the API's methods, or `upload`, was asked and did not do it; "" if that is not known.
    """

    def __init__(self, kind: Kind, message: str, retry_after: float | None = None, asked: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.asked = asked


@dataclass(frozen=True)
class Facts:
    """What is known of an exception that the kaggle package raised; made in its process, judged here.

    Attributes:
        types: names of the exception's class and its bases.
        words: the exception's text.
        status: HTTP status, or the error code inside a body whose status is 200; None without an answer.
        api: whether Kaggle's API answered, not the store that its links lead to.
        retry_after: the header's value.
        errno: of an operating system's error.
        asked: the API's method that was asked; "" if it is not known, or was a file's link.
    """

    types: tuple[str, ...]
    words: str
    status: int | None = None
    api: bool = True
    retry_after: str | None = None
    errno: int | None = None
    asked: str = ""

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Facts:
        """From the fields as JSON holds them."""
        return cls(**{**given, "types": tuple(given["types"])})


def classify(facts: Facts, doing: str, competition: str, source: str) -> KaggleError:
    """The failure with its kind and a message that says what to do.

    Args:
        facts: of the exception; its words without secrets.
        doing: such as "listing the files", for the message.
        competition: its name in Kaggle's addresses.
        source: of the credentials.
    """
    kind = _kind(facts)
    said = f" ({facts.words})" if facts.words else ""
    page = f"https://www.kaggle.com/c/{competition}"
    advice = {
        Kind.UNAUTHORIZED: f"Kaggle does not accept the credentials from {source}{said}; they may be revoked or"
        f" expired: make new ones at https://www.kaggle.com/settings, of the account that has accepted {page}/rules",
        Kind.RULES: f"Kaggle wants the competition's rules accepted first{said}: log in with the same account, accept"
        f" them at {page}/rules and run the command again",
        Kind.FORBIDDEN: f"Kaggle forbids it to this account{said}: check at {page}/rules that the account has joined"
        " the competition and is verified, that the competition's name is right, and that it is still open for this",
        Kind.NOT_FOUND: f"Kaggle knows no such competition or file{said}: check the name and the files that"
        f" {page}/data lists; the rules are at {page}/rules",
        Kind.REFUSED: f"Kaggle refuses the request{said}: see {page} for whether it is still possible",
        Kind.RATE_LIMIT: f"Kaggle is limiting requests at the moment{said}: wait an hour and run the command again",
        Kind.SERVER: f"Kaggle has a problem of its own{said}: run the command again later; what has arrived is kept",
        Kind.UNREACHABLE: f"Kaggle cannot be reached{said}: check the network and the proxy, and run the command again",
        Kind.STALLED: f"nothing arrived from Kaggle any more{said}: check the network and run the command again",
        Kind.BROKEN: f"what arrived is not whole or not Kaggle's{said}: check that no proxy or login page is in"
        " between, and run the command again",
        Kind.DISK_FULL: f"no space is left on the disk{said}: make room and run the command again",
        Kind.CLIENT: f"the kaggle package failed{said}: check its installation with `kaggle --version`",
    }
    return KaggleError(kind, f"{doing}: {advice[kind]}", retry_after_seconds(facts.retry_after), facts.asked)


def _kind(facts: Facts) -> Kind:
    if facts.status is not None and facts.status >= 400:
        return _kind_of_status(facts.status, facts.words, facts.api)
    types = set(facts.types)
    if types & {"ChunkedEncodingError", "ContentDecodingError", "JSONDecodeError", "ProtocolError", "IncompleteRead"}:
        return Kind.BROKEN
    if "Stalled" in types:
        return Kind.STALLED
    if types & {"Timeout", "ReadTimeoutError"}:
        return Kind.STALLED
    if "ConnectionError" in types:
        return Kind.UNREACHABLE
    if facts.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Kind.DISK_FULL
    # The client's own complaint about a size; answers that are not of the form that it knows.
    if types & {"ValueError", "KeyError", "TypeError", "RequestException"}:
        return Kind.BROKEN
    return Kind.CLIENT


def _kind_of_status(status: int, words: str, api: bool) -> Kind:
    if status == 429:
        return Kind.RATE_LIMIT
    if status >= 500:
        return Kind.SERVER
    if not api:
        # A link that has expired: the next attempt asks for a new one.
        return Kind.BROKEN
    if status == 401:
        return Kind.UNAUTHORIZED
    if status == 403:
        low = words.lower()
        rules = ("accept" in low and "rules" in low) or "competitions.participate" in low
        return Kind.RULES if rules else Kind.FORBIDDEN
    if status == 404:
        return Kind.NOT_FOUND
    return Kind.REFUSED


def retry_after_seconds(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which is a number or a date; None if it is neither."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdecimal():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    # A date without a zone is GMT, as HTTP has no other.
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - time.time())
