import threading
import time
from contextlib import closing

import pytest

from carvana.overlap import overlapped


@pytest.fixture(autouse=True)
def no_thread_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_results_keep_the_order_of_the_items_whatever_their_durations():
    def slow_when_even(number):
        time.sleep(0.01 if number % 2 == 0 else 0)
        return number * 10

    assert list(overlapped(slow_when_even, range(40), workers=4, ahead=8)) == [number * 10 for number in range(40)]
    assert list(overlapped(slow_when_even, [], workers=4, ahead=8)) == []


def test_threads_work_at_the_same_time():
    together = threading.Barrier(2, timeout=10)
    assert len(list(overlapped(lambda _: together.wait(), range(6), workers=2, ahead=2))) == 6


def test_the_function_works_while_the_caller_does():
    begun = [threading.Event() for _ in range(3)]
    results = overlapped(lambda number: begun[number].set(), range(3), workers=1, ahead=1)
    next(results)
    assert begun[1].wait(timeout=10)
    list(results)


@pytest.mark.parametrize(("workers", "ahead"), [(1, 1), (3, 5)])
def test_no_more_results_are_held_than_allowed(workers, ahead):
    begun = 0

    def counted(items):
        nonlocal begun
        for item in items:
            begun += 1
            yield item

    for taken, _ in enumerate(overlapped(str, counted(range(60)), workers, ahead), start=1):
        assert begun <= taken + ahead
    assert begun == 60


def test_an_error_of_the_function_reaches_the_caller_and_the_rest_is_not_begun():
    begun = []

    def fails_at_three(number):
        begun.append(number)
        if number == 3:
            raise ValueError("item 3")
        return number

    with pytest.raises(ValueError, match="item 3"):
        list(overlapped(fails_at_three, range(1000), workers=2, ahead=4))
    assert max(begun) <= 3 + 4


def test_an_error_of_the_items_reaches_the_caller():
    def items():
        yield from range(5)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(overlapped(str, items(), workers=2, ahead=3))


def test_closing_ends_the_threads_when_the_caller_fails():
    with (
        pytest.raises(KeyError),
        closing(overlapped(str, range(1000), workers=2, ahead=4)) as results,
    ):
        next(results)
        raise KeyError
