import time
from email.utils import formatdate

import pytest

from carvana.kaggle.failures import PASSING, KaggleError, Kind, retry_after_seconds
from carvana.kaggle.retry import Patience, retrying


class Failing:
    """Fails with each of the given errors, then succeeds."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def failure(kind=Kind.SERVER, retry_after=None):
    return KaggleError(kind, "it failed", retry_after)


@pytest.fixture
def slept():
    return []


def patience(slept, **changes):
    return Patience(**{"attempts": 4, "first_pause": 10, "sleep": slept.append, **changes})


@pytest.mark.parametrize("kind", Kind)
def test_only_what_may_pass_is_tried_again(slept, kind):
    action = Failing(failure(kind))
    if kind in PASSING:
        assert retrying(action, patience(slept)) == "done"
    else:
        with pytest.raises(KaggleError):
            retrying(action, patience(slept))
    assert action.calls == 1 + (kind in PASSING)


def test_pauses_double_up_to_the_longest_and_differ_a_little(slept):
    with pytest.raises(KaggleError):
        retrying(Failing(*[failure()] * 5), patience(slept, attempts=5, longest_pause=30))
    assert len(slept) == 4
    for pause, least in zip(slept, (10, 20, 30, 30), strict=True):
        assert least <= pause <= 1.25 * least


def test_what_kaggle_asks_for_is_waited_for(slept):
    assert retrying(Failing(failure(Kind.RATE_LIMIT, 77)), patience(slept)) == "done"
    assert slept == [77]


def test_a_wait_that_is_too_long_is_not_begun(slept):
    with pytest.raises(KaggleError):
        retrying(Failing(failure(Kind.RATE_LIMIT, 7200)), patience(slept))
    assert slept == []


def test_progress_begins_the_count_anew(slept):
    sizes = iter([0, 1, 2, 3, 3, 3, 3, 3])
    action = Failing(*[failure()] * 10)
    with pytest.raises(KaggleError):
        retrying(action, patience(slept, attempts=3), lambda: next(sizes))
    # Three that moved, two that did not.
    assert action.calls == 5


@pytest.mark.parametrize(("header", "seconds"), [("7", 7), (" 0 ", 0), (None, None), ("soon", None), ("-3", None)])
def test_a_number_of_seconds(header, seconds):
    assert retry_after_seconds(header) == seconds


def test_a_date():
    seconds = retry_after_seconds(formatdate(time.time() + 3600, usegmt=True))
    assert seconds is not None
    assert 3500 < seconds <= 3600
    assert retry_after_seconds(formatdate(0, usegmt=True)) == 0


def test_what_failed_and_how_long_is_waited_is_told(slept, capsys):
    retrying(Failing(failure(Kind.RATE_LIMIT, 77)), patience(slept))
    assert capsys.readouterr().err == "it failed\ntrying again in 77 s\n"
