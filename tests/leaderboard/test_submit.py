"""Every way in which submitting can go wrong, through the real kaggle client and the stand-in server."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from carvana.errors import UserError
from carvana.kaggle.client import Kaggle, Submission
from carvana.kaggle.credentials import find_credentials
from carvana.kaggle.failures import KaggleError
from carvana.kaggle.retry import Patience
from carvana.leaderboard.description import describe
from carvana.leaderboard.ledger import Attempt, Ledger
from carvana.leaderboard.submit import Submissions, _missing
from carvana.standin.faults import Fault
from tests.leaderboard.conftest import PATIENCE, SLUG, WAITS, strangers_environment


def description_of(file):
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return sha256, describe("0123456789ab", "released", "", sha256)


def send(submissions, ledger, file):
    return submissions.send_once(ledger, file, *description_of(file))


def attempt_of(ledger, file) -> Attempt:
    found = ledger.find(SLUG, description_of(file)[0])
    assert isinstance(found, Attempt)
    return found


def test_a_submission_is_sent_scored_and_written_down(start, ledger, perfect):
    server, submissions = start()
    reference = send(submissions, ledger, perfect)
    found = submissions.wait_for_score(reference)
    assert (found.public_score, found.private_score) == ("1.000000", "1.000000")
    assert found.description == description_of(perfect)[1]
    attempt = attempt_of(ledger, perfect)
    assert (attempt.reference, attempt.file) == (reference, perfect.name)
    assert server.requests["CreateSubmission"] == 1


def test_what_was_sent_from_here_is_not_sent_again(start, ledger, perfect):
    server, submissions = start()
    assert send(submissions, ledger, perfect) == send(submissions, ledger, perfect)
    assert server.requests["StartSubmissionUpload"] == server.requests["CreateSubmission"] == 1


def test_what_was_sent_from_elsewhere_is_not_sent_again(start, ledger, perfect):
    server, submissions = start()
    elsewhere = submissions.kaggle.submit(perfect, description_of(perfect)[1])
    submissions.kaggle.submit(perfect, "another file")
    assert send(submissions, ledger, perfect) == elsewhere
    assert attempt_of(ledger, perfect).reference == elsewhere
    assert server.requests["CreateSubmission"] == 2


def test_a_submission_on_a_later_page_of_the_list_is_found(start, ledger, perfect):
    server, submissions = start()
    first = submissions.kaggle.submit(perfect, description_of(perfect)[1])
    # The list is read in pages of 200.
    entries = server.competition._entries
    entries += [type(entries[0])(5000 + k, entries[0].date, "x", "x.csv", 1, 0) for k in range(250)]
    assert send(submissions, ledger, perfect) == first


def test_a_server_that_is_not_there_is_told(ledger, perfect, tmp_path):
    environment = strangers_environment(tmp_path) | {"KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": "0123456789abcdef"}
    # Port 9 of loopback, where nobody listens.
    environment |= {"KAGGLE_API_ENVIRONMENT": "LOCALHOST", "http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}
    with Kaggle(SLUG, find_credentials(environment, tmp_path), 60, environment) as kaggle:
        submissions = Submissions(kaggle, SLUG, PATIENCE, WAITS)
        with pytest.raises(KaggleError, match="cannot be reached"):
            send(submissions, ledger, perfect)
    assert not ledger.folder.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ({"StartSubmissionUpload": [Fault("status", 401, "Unauthenticated")]}, "does not accept the credentials"),
        ({"CreateSubmission": [Fault("status", 403, "You must accept this competition's rules")]}, "/rules"),
        ({"CreateSubmission": [Fault("status", 403, "The deadline has passed")]}, "The deadline has passed"),
        ({"StartSubmissionUpload": [Fault("status", 404, "Not found")]}, "no such competition"),
        ({"CreateSubmission": [Fault("status", 400, "5 submissions a day")]}, "5 submissions a day"),
        ({"CreateSubmission": [Fault("code_in_200", 403, "Forbidden")]}, "forbids it"),
        ({"upload": [Fault("status", 403, repeat=True)]}, "could not be uploaded"),
        ({"StartSubmissionUpload": [Fault("status", 500, repeat=True)]}, "problem of its own"),
        ({"StartSubmissionUpload": [Fault("reset", repeat=True)]}, "cannot be reached"),
    ],
)
def test_a_refusal_is_told_and_may_be_tried_again_later(start, ledger, perfect, faults, told):
    server, submissions = start(**faults)
    with pytest.raises(KaggleError, match=told):
        send(submissions, ledger, perfect)
    assert ledger.find(SLUG, description_of(perfect)[0]) is None
    assert server.competition.submissions(1, 20) == []


@pytest.mark.parametrize(
    "faults",
    [
        {"StartSubmissionUpload": [Fault("status", 429, retry_after="0"), Fault("status", 503)]},
        {"upload": [Fault("status", 500), Fault("status", 503)]},
        {"CreateSubmission": [Fault("status", 429, retry_after="0")]},
        {"ListSubmissions": [Fault("status", 429), Fault("reset")]},
    ],
)
def test_what_passes_is_tried_again(start, ledger, perfect, faults):
    server, submissions = start(**faults)
    reference = send(submissions, ledger, perfect)
    assert submissions.wait_for_score(reference).public_score == "1.000000"
    assert len(server.competition.submissions(1, 20)) == 1


def test_a_retry_after_is_honoured(start, ledger, perfect):
    _, submissions = start(StartSubmissionUpload=[Fault("status", 429, retry_after="1")])
    begun = time.monotonic()
    send(submissions, ledger, perfect)
    assert time.monotonic() - begun >= 1


@pytest.mark.slow
def test_an_upload_that_stalls_is_told_and_never_sent_twice(start, standing, ledger, perfect, tmp_path):
    environment = strangers_environment(tmp_path) | standing[0].environment()
    with Kaggle(SLUG, find_credentials(environment, tmp_path), 4, environment) as impatient:
        server, submissions = start(impatient, upload=[Fault("stall")])
        for attempt in ("ended without a clear answer .*nothing arrived", "was interrupted"):
            with pytest.raises(UserError, match=attempt):
                send(submissions, ledger, perfect)
    assert server.requests["upload"] == 1


def test_a_lost_answer_is_found_in_the_list(start, ledger, perfect):
    server, submissions = start(CreateSubmission=[Fault("lost_answer", repeat=True)])
    reference = send(submissions, ledger, perfect)
    assert attempt_of(ledger, perfect).reference == reference
    assert server.requests["CreateSubmission"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Fault("no_reference"), Fault("status", 500), Fault("html"), Fault("reset")])
def test_an_unknown_outcome_is_told_and_never_sent_twice(start, ledger, perfect, fault):
    server, submissions = start(CreateSubmission=[fault])
    for attempt in ("ended without a clear answer", "was interrupted"):
        with pytest.raises(UserError, match=attempt) as raised:
            send(submissions, ledger, perfect)
        assert str(ledger.path(SLUG, description_of(perfect)[0])) in str(raised.value)
    assert server.requests["CreateSubmission"] == 1
    # As the message says: once a person has looked and deleted the attempt, it is sent.
    ledger.withdraw(attempt_of(ledger, perfect))
    assert send(submissions, ledger, perfect) > 0


CRASHING = """
import sys
from pathlib import Path
from tests.leaderboard.test_submit import crash
crash(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def crash(file, folder):
    """Sends the file in a process that is killed by another one."""
    with Kaggle(SLUG, find_credentials(os.environ, folder), 60) as kaggle:
        send(Submissions(kaggle, SLUG, Patience(), WAITS), Ledger(folder), file)


@pytest.mark.parametrize(("action", "arrives"), [("stall", False), ("no_answer", True)])
def test_a_crash_between_upload_and_record_does_not_send_twice(start, ledger, perfect, tmp_path, action, arrives):
    server, submissions = start(CreateSubmission=[Fault(action)])
    process = subprocess.Popen(
        [sys.executable, "-c", CRASHING, perfect, ledger.folder],
        env=strangers_environment(tmp_path) | server.environment(),
    )
    while server.requests["CreateSubmission"] == 0:
        assert process.poll() is None
        time.sleep(0.01)
    while arrives and not server.competition.submissions(1, 20):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert attempt_of(ledger, perfect).reference is None
    if arrives:
        assert send(submissions, ledger, perfect) > 0
        assert attempt_of(ledger, perfect).reference is not None
    else:
        with pytest.raises(UserError, match="was interrupted"):
            send(submissions, ledger, perfect)
    assert server.requests["CreateSubmission"] == 1


def test_a_score_that_comes_late_is_waited_for(start, ledger, perfect):
    _, submissions = start(pending_polls=4)
    said: list[str] = []
    found = submissions.wait_for_score(send(submissions, ledger, perfect), said.append)
    assert found.status == "COMPLETE"
    assert said == [f"submission {found.ref} is being scored"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("never"), r"was not scored within 0.3 s: it is being scored\. .*it is not sent again"),
        (Fault("empty_score"), r"was not scored within 0.3 s: it is complete without a public score \(''\)"),
        (Fault("error", message="Evaluation failed"), "could not score submission 1001: Evaluation failed"),
    ],
)
def test_a_score_that_does_not_come_is_an_error(start, ledger, perfect, fault, told):
    _, submissions = start(score=[fault])
    submissions = replace(submissions, waits=replace(WAITS, scored=0.3))
    reference = send(submissions, ledger, perfect)
    with pytest.raises(UserError, match=told):
        submissions.wait_for_score(reference)
    # It is written down all the same: the next run goes on waiting.
    assert attempt_of(ledger, perfect).reference == reference


def test_a_submission_that_is_not_listed_is_an_error(start):
    _, submissions = start()
    with pytest.raises(UserError, match="submission 7 is not in Kaggle's list of your submissions to drawn-cars"):
        submissions.wait_for_score(7)


def test_looks_are_further_and_further_apart_and_end():
    begun = time.monotonic()
    looks = [time.monotonic() - begun for _ in WAITS.looks(0.3)]
    assert looks[0] < 0.01
    assert 5 <= len(looks) <= 9
    assert 0.3 <= time.monotonic() - begun < 1


@pytest.mark.parametrize("score", ["", "nan", "-1", "1.5", "none"])
def test_a_score_is_a_number_from_0_to_1(score):
    found = Submission(7, "COMPLETE", "0.9", score, "", "", "", "")
    assert _missing(found) == f"private score ({score!r})"
    assert _missing(replace(found, private_score="0.997300")) == ""


def test_of_several_sendings_of_one_file_the_first_counts(start, ledger, perfect):
    _, submissions = start()
    description = description_of(perfect)[1]
    first, second = (submissions.kaggle.submit(perfect, description) for _ in range(2))
    assert first < second
    assert send(submissions, ledger, perfect) == first
