import gzip
import os
from types import SimpleNamespace

import pytest

from carvana.geometry import SMALL
from carvana.kaggle.child import answer
from carvana.kaggle.failures import KaggleError, Kind
from carvana.kaggle.process import PackageProcess
from carvana.standin.competition import Competition
from carvana.standin.faults import RULES_NOT_ACCEPTED, Fault, FaultPlan
from tests.kaggle.conftest import SLUG

NAMES = ["metadata.csv", "sample_submission.csv", "test_hq.zip", "train_hq.zip", "train_masks.zip"]


def test_all_pages_of_the_listing_are_read(serve, connect, drawn):
    server = serve(page_size=2)
    files = connect(server).files()
    assert [(file.name, file.bytes) for file in files] == [(name, (drawn / name).stat().st_size) for name in NAMES]
    assert server.requests["ListDataFiles"] == 3


def test_the_solution_is_not_offered(serve, connect, tmp_path):
    kaggle = connect(serve())
    assert "solution.csv" not in {file.name for file in kaggle.files()}
    with pytest.raises(KaggleError) as caught:
        kaggle.download("solution.csv", tmp_path, lambda: None)
    assert caught.value.kind is Kind.NOT_FOUND


def test_a_file_arrives(serve, connect, drawn, tmp_path):
    connect(serve()).download("train_masks.zip", tmp_path / "new", lambda: None)
    assert (tmp_path / "new" / "train_masks.zip").read_bytes() == (drawn / "train_masks.zip").read_bytes()


def test_a_token_logs_in_too(serve, connect, tmp_path):
    server = serve()
    kaggle = connect(server, KAGGLE_API_TOKEN=f"{server.token}\n")
    assert len(kaggle.files()) == len(NAMES)
    assert server.requests["IntrospectToken"] > 0


@pytest.mark.parametrize(
    "changes", [{"KAGGLE_KEY": "wrongwrongwrong"}, {"KAGGLE_API_TOKEN": "deaddeaddead"}], ids=["key", "token"]
)
def test_dead_credentials_are_named_and_not_shown(serve, connect, changes):
    with pytest.raises(KaggleError) as caught:
        connect(serve(), **changes).files()
    assert caught.value.kind is Kind.UNAUTHORIZED
    ((name, secret),) = changes.items()
    assert name in str(caught.value)
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        (Fault("status", 401), Kind.UNAUTHORIZED, "make new ones"),
        (
            Fault("status", 403, RULES_NOT_ACCEPTED),
            Kind.RULES,
            "accept them at https://www.kaggle.com/c/carvana-image-",
        ),
        (Fault("status", 403, "Permission 'competitions.participate' was denied"), Kind.RULES, "/rules"),
        (Fault("status", 403, "Forbidden"), Kind.FORBIDDEN, "has joined the competition"),
        (Fault("status", 404), Kind.NOT_FOUND, "/data lists"),
        (Fault("status", 400), Kind.REFUSED, "still possible"),
        (Fault("status", 429, retry_after="7"), Kind.RATE_LIMIT, "limiting requests"),
        (Fault("status", 500), Kind.SERVER, "later"),
        (Fault("status", 503), Kind.SERVER, "later"),
        (Fault("code_in_200", 403, RULES_NOT_ACCEPTED), Kind.RULES, "/rules"),
        (Fault("code_in_200", 500), Kind.SERVER, "later"),
        (Fault("html"), Kind.BROKEN, "login page"),
        (Fault("reset"), Kind.UNREACHABLE, "check the network"),
    ],
)
def test_every_refusal_is_told_apart(standing, fault, kind, told):
    server, kaggle = standing
    server.faults = FaultPlan({"ListDataFiles": [fault]})
    with pytest.raises(KaggleError, match=r"^listing the competition's files: ") as caught:
        kaggle.files()
    assert caught.value.kind is kind
    assert told in str(caught.value)
    assert caught.value.retry_after == (7 if fault.retry_after else None)


def test_a_server_that_is_not_there(serve, connect):
    server = serve()
    with pytest.raises(KaggleError) as caught:
        connect(server, http_proxy="http://127.0.0.1:9").files()
    assert caught.value.kind is Kind.UNREACHABLE


def test_a_package_that_cannot_be_imported_is_told(serve, connect, tmp_path):
    (tmp_path / "kaggle").mkdir()
    (tmp_path / "kaggle" / "__init__.py").write_text("import no_such_package")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with pytest.raises(KaggleError, match=r"the kaggle package failed \(No module named 'no_such_package'\)") as caught:
        connect(serve(), PYTHONPATH=path).files()
    assert caught.value.kind is Kind.CLIENT


def test_a_process_that_ends_is_told(serve, connect, tmp_path):
    (tmp_path / "kaggle").mkdir()
    (tmp_path / "kaggle" / "__init__.py").write_text("import os, sys; print('killed', file=sys.stderr); os._exit(9)")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with pytest.raises(KaggleError, match=r"its process ended: .*killed"):
        connect(serve(), PYTHONPATH=path).files()


@pytest.mark.slow
def test_after_a_stall_the_next_call_has_a_new_process(serve, connect):
    kaggle = connect(serve(ListDataFiles=[Fault("stall")]), stall=4)
    with pytest.raises(KaggleError, match="nothing arrived") as caught:
        kaggle.files()
    assert caught.value.kind is Kind.STALLED
    assert len(kaggle.files()) == len(NAMES)


def test_what_the_watch_raises_ends_the_call(serve, connect, tmp_path):
    def watch():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        connect(serve(file=[Fault("stall")])).download("train_hq.zip", tmp_path, watch)


@pytest.fixture
def submission(drawn, tmp_path):
    """The hidden truth itself."""
    rows = (drawn / "solution.csv").read_text().splitlines()
    path = tmp_path / "submission.csv.gz"
    path.write_bytes(gzip.compress("".join(",".join(row.split(",")[:2]) + "\n" for row in rows).encode()))
    return path


@pytest.fixture
def fresh(standing):
    """A stand-in and a client, nothing submitted yet."""
    server, kaggle = standing
    server.faults = FaultPlan()
    server.requests.clear()
    server.competition = Competition(server.competition.folder, SMALL, server.competition.uploads)
    return server, kaggle


def test_the_truth_scores_one(fresh, submission):
    _, kaggle = fresh
    ref = kaggle.submit(submission, "the truth, submitted")
    assert ref > 0
    (pending,) = kaggle.submissions()
    assert (pending.ref, pending.status, pending.public_score) == (ref, "PENDING", "")
    (scored,) = kaggle.submissions()
    assert (scored.status, scored.public_score, scored.private_score) == ("COMPLETE", "1.000000", "1.000000")
    assert (scored.description, scored.file_name) == ("the truth, submitted", "submission.csv.gz")


def test_all_pages_of_the_submissions_are_read(fresh, submission):
    server, kaggle = fresh
    refs = [kaggle.submit(submission, str(number)) for number in range(4)]
    server.page_size = 2
    try:
        assert [one.ref for one in kaggle.submissions()] == refs[::-1]
        # Two full pages, and the one that brings nothing new.
        assert server.requests["ListSubmissions"] == 3
        kaggle.submit(submission, "odd")
        assert len(kaggle.submissions()) == 5
    finally:
        server.page_size = 200


def test_a_refused_upload_is_an_error(fresh, submission):
    server, kaggle = fresh
    server.faults = FaultPlan({"upload": [Fault("status", 403)]})
    with pytest.raises(KaggleError, match="could not be uploaded, so nothing was submitted") as caught:
        kaggle.submit(submission, "x")
    assert caught.value.asked == "upload"
    assert server.requests["CreateSubmission"] == 0


@pytest.mark.parametrize("endpoint", ["StartSubmissionUpload", "CreateSubmission"])
@pytest.mark.parametrize("fault", [Fault("status", 500), Fault("reset"), Fault("code_in_200", 403)])
def test_a_failed_submission_says_which_request_failed(fresh, submission, endpoint, fault):
    server, kaggle = fresh
    server.faults = FaultPlan({endpoint: [fault]})
    with pytest.raises(KaggleError) as caught:
        kaggle.submit(submission, "x")
    assert caught.value.asked == endpoint


def test_a_lost_answer_leaves_a_submission(fresh, submission):
    server, kaggle = fresh
    server.faults = FaultPlan({"CreateSubmission": [Fault("lost_answer")]})
    with pytest.raises(KaggleError) as caught:
        kaggle.submit(submission, "x")
    assert caught.value.asked == "CreateSubmission"
    assert len(kaggle.submissions()) == 1


def test_a_stalling_upload_ends(serve, connect, submission):
    with pytest.raises(KaggleError) as caught:
        connect(serve(upload=[Fault("stall")]), stall=1).submit(submission, "x")
    assert caught.value.kind is Kind.STALLED


def test_an_answer_without_a_reference_is_an_error(fresh, submission):
    server, kaggle = fresh
    server.faults = FaultPlan({"CreateSubmission": [Fault("no_reference")]})
    with pytest.raises(KaggleError, match="gave no reference"):
        kaggle.submit(submission, "x")


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        (Fault("never"), "PENDING", ""),
        (Fault("empty_score"), "COMPLETE", ""),
        (Fault("error", message="wrong columns"), "ERROR", "wrong columns"),
    ],
)
def test_what_may_become_of_a_submission(fresh, submission, fault, status, error):
    server, kaggle = fresh
    server.faults = FaultPlan({"score": [fault]})
    server.competition.pending_polls = 0
    kaggle.submit(submission, "x")
    (listed,) = kaggle.submissions()
    assert (listed.status, listed.error, listed.public_score, listed.private_score) == (status, error, "", "")


def test_a_wrong_submission_is_judged_wrong(fresh, submission):
    server, kaggle = fresh
    server.competition.pending_polls = 0
    text = gzip.decompress(submission.read_bytes()).decode().splitlines()
    submission.write_bytes(gzip.compress("\n".join(text[:-1]).encode()))
    kaggle.submit(submission, "x")
    (listed,) = kaggle.submissions()
    assert (listed.status, listed.error) == ("ERROR", "submission.csv.gz: 1 of 16 test images are missing")


def test_the_package_is_given_one_login_and_nothing_that_makes_it_talk():
    mine = {"PATH": "/bin", "KAGGLE_API_ENVIRONMENT": "LOCALHOST", "TZ": "Asia/Tokyo"}
    others = {"KAGGLE_KEY": "another", "KAGGLE_CONFIG_DIR": "/mine", "VERBOSE": "1", "VERBOSE_OUTPUT": "1"}
    process = PackageProcess({"KAGGLE_API_TOKEN": "KGAT_abc"}, 1, mine | others, ())
    own = {"KAGGLE_API_TOKEN": "KGAT_abc", "KAGGLE_CONFIG_DIR": "/own", "TZ": "UTC"}
    assert process._child_environment("/own") == mine | own


def test_a_listing_that_leads_in_a_circle_has_an_end():
    tokens = iter(["a", "b", "a", "b"])
    pages = SimpleNamespace(
        competition_list_files=lambda *_, **__: SimpleNamespace(files=[], next_page_token=next(tokens))
    )
    with pytest.raises(ValueError, match="leads in a circle"):
        answer(pages, "files", {"competition": SLUG})
