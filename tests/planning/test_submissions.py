from pathlib import Path

import pytest

from carvana.errors import UserError
from tests.planning.plans import plan


def test_a_member_has_a_submission_for_each_of_his_recipes():
    assert plan().submissions.of_member("asanakoy") == [
        "results/full/submissions/asanakoy_scratch.csv.gz",
        "results/full/submissions/asanakoy_vgg11.csv.gz",
    ]


def test_the_ensemble_needs_all_members():
    assert plan().submissions.wanted()[-1] == "results/full/submissions/ensemble.csv.gz"
    two = plan(members=["ternaus", "albu"])
    assert not any("ensemble" in path for path in two.submissions.wanted() + two.scoring.masks())


def test_nothing_is_submitted_unless_asked_for():
    with pytest.raises(UserError, match="nothing is sent to Kaggle unless you ask"):
        plan().submissions.to_send()
    asked = plan(leaderboard=["ensemble", "albu"])
    assert asked.submissions.to_send() == [
        "results/full/submissions/ensemble.csv.gz",
        "results/full/submissions/albu.csv.gz",
    ]
    assert asked.submissions.arguments() == (
        "--submission ensemble results/full/submissions/ensemble.csv.gz"
        " --submission albu results/full/submissions/albu.csv.gz"
    )


def test_a_small_run_cannot_be_submitted_to_kaggles_competition():
    small = {"geometry": "small", "leaderboard": ["ensemble"]}
    with pytest.raises(UserError, match="its masks are not of the size that carvana-image-masking-challenge scores"):
        plan(**small).submissions.to_send()
    assert plan(**small, competition="drawn-cars").submissions.to_send()


@pytest.mark.parametrize("data", [{"source": "synthetic"}, {"source": "folder", "expect_published": False}])
def test_what_is_not_known_to_be_whole_is_not_sent_to_kaggles_competition(data):
    with pytest.raises(UserError, match=r"not known to be all of carvana-image-masking-challenge's"):
        plan(leaderboard=["ensemble"], data=data).submissions.to_send()
    assert plan(leaderboard=["ensemble"], data=data, competition="drawn-cars").submissions.to_send()


def test_the_ledger_outlives_a_run():
    assert plan().submissions.ledger == plan(run="another").submissions.ledger == Path("results/submitted")


def test_kaggles_answer_is_looked_at_where_there_is_one(tmp_path):
    run = plan(results=str(tmp_path))
    assert (run.submissions.answer_argument(), run.submissions.answer_digest()) == ("", "")
    run.results.mkdir()
    (run.results / "leaderboard.json").write_text("[]")
    assert run.submissions.answer_argument() == f"--leaderboard {tmp_path}/full/leaderboard.json"
    assert len(run.submissions.answer_digest()) == 16
