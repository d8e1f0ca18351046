"""Doing one thing while another is awaited, with a bounded number of results in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def overlapped(function: Callable[[T], R], items: Iterable[T], workers: int, ahead: int) -> Generator[R]:
    """`function(item)` for every item, in order, computed by threads while the caller works on earlier results.

    `items` is iterated in the caller's thread, so one such generator can feed another: the first loads, the caller
    computes, the second stores. An exception of the function or of `items` ends the iteration and reaches the caller
    once the running calls have ended; those that wait are never begun. Close the generator (`contextlib.closing`) to
    get the same when the caller itself fails.

    Args:
        function: what the threads call.
        items: what it is called with; taken only as needed.
        workers: number of threads.
        ahead: results, finished or not, that are held for the caller at most.
    """
    source = iter(items)
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in islice(source, ahead):
                waiting.append(pool.submit(function, item))
            while waiting:
                result = waiting.popleft().result()
                for item in islice(source, 1):
                    waiting.append(pool.submit(function, item))
                yield result
        finally:
            for future in waiting:
                future.cancel()
