import pytest

from carvana.errors import UserError
from carvana.leaderboard.ledger import Attempt, Ledger

ATTEMPT = Attempt("drawn-cars", "ab" * 32, "ensemble.csv.gz", "what made it", "2026-11-22T22:00:00+00:00")


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "submitted")


def test_an_attempt_is_written_down_before_it_has_a_reference(ledger):
    assert ledger.find(ATTEMPT.competition, ATTEMPT.sha256) is None
    ledger.begin(ATTEMPT)
    assert Ledger(ledger.folder).find(ATTEMPT.competition, ATTEMPT.sha256) == ATTEMPT
    ledger.confirm(ATTEMPT, 17)
    found = ledger.find(ATTEMPT.competition, ATTEMPT.sha256)
    assert found is not None
    assert found.reference == 17
    assert [path.name for path in (ledger.folder / "drawn-cars").iterdir()] == [f"{ATTEMPT.sha256}.json"]


def test_two_attempts_at_one_file_cannot_begin(ledger):
    ledger.begin(ATTEMPT)
    with pytest.raises(UserError, match="being submitted by another process"):
        ledger.begin(ATTEMPT)
    assert len(list((ledger.folder / "drawn-cars").iterdir())) == 1


def test_the_same_file_may_go_to_another_competition(ledger):
    ledger.begin(ATTEMPT)
    assert ledger.find("another", ATTEMPT.sha256) is None


def test_an_attempt_that_did_not_arrive_is_forgotten(ledger):
    ledger.begin(ATTEMPT)
    ledger.withdraw(ATTEMPT)
    assert ledger.find(ATTEMPT.competition, ATTEMPT.sha256) is None
    ledger.begin(ATTEMPT)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "null"])
def test_a_damaged_entry_is_not_taken_for_none(ledger, text):
    ledger.begin(ATTEMPT)
    ledger.path(ATTEMPT.competition, ATTEMPT.sha256).write_text(text)
    with pytest.raises(UserError, match="look at the competition's list"):
        ledger.find(ATTEMPT.competition, ATTEMPT.sha256)


def test_an_attempt_is_on_disk_before_its_file_has_its_name(ledger, monkeypatch):
    """A power cut after the sending could leave an empty file, or none, otherwise."""
    synced = []
    monkeypatch.setattr("os.fsync", lambda _: synced.append(ledger.path(ATTEMPT.competition, ATTEMPT.sha256).exists()))
    ledger.begin(ATTEMPT)
    assert synced == [False]
