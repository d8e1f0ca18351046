"""Trying again what may succeed the next time."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from carvana.kaggle.failures import PASSING, KaggleError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Attributes:
        attempts: that may fail in a row without progress.
        first_pause: seconds before the second attempt, doubled before each further one; a quarter of it at most is
            added at random, so that parallel jobs do not return at once.
        longest_pause: seconds; the doubling ends here.
        longest_wait: seconds that Kaggle may ask to wait before we give up instead.
        stall: seconds without progress after which a call is ended. It is longer than the kaggle package's own pauses
            (32 s), and at its pieces of 1 MiB a connection must bring 3.5 KiB/s.
        sleep: waits for a number of seconds.
    """

    attempts: int = 8
    first_pause: float = 5.0
    longest_pause: float = 300.0
    longest_wait: float = 3600.0
    stall: float = 300.0
    sleep: Callable[[float], None] = time.sleep


def retrying(action: Callable[[], Result], patience: Patience, progress: Callable[[], object] = lambda: None) -> Result:
    """The result of `action`, tried again after failures that may pass.

    Args:
        action: what to try.
        patience: how often, and the pauses; a Retry-After of Kaggle's is waited for instead.
        progress: something that differs when more has been reached than before; the count of attempts then begins anew.

    Raises:
        KaggleError: one that does not pass, or the last one.
    """
    failed, before = 0, progress()
    while True:
        try:
            return action()
        except KaggleError as error:
            now = progress()
            failed = 1 if now != before else failed + 1
            before = now
            if error.kind not in PASSING or failed >= patience.attempts:
                raise
            pause = min(patience.first_pause * 2 ** (failed - 1), patience.longest_pause)
            pause *= random.uniform(1, 1.25)
            if error.retry_after is not None:
                if error.retry_after > patience.longest_wait:
                    raise
                pause = error.retry_after
            print(f"{error}\ntrying again in {pause:.0f} s", file=sys.stderr, flush=True)
            patience.sleep(pause)
