import pytest

from carvana.errors import UserError
from carvana.planning.reporting import Reporting
from tests.planning.plans import plan


def test_kaggles_answer_is_looked_at_where_there_is_one(tmp_path):
    run = plan(results=str(tmp_path))
    assert (Reporting(run).leaderboard_result(), Reporting(run).leaderboard_digest()) == ("", "")
    run.results.mkdir()
    (run.results / "leaderboard.json").write_text("[]")
    assert Reporting(run).leaderboard_result() == f"--leaderboard {tmp_path}/full/leaderboard.json"
    assert len(Reporting(run).leaderboard_digest()) == 16


def test_a_report_is_about_the_ensemble():
    assert Reporting(plan()).needs_all_members(None) == []
    assert Reporting(plan()).model_arguments().startswith("--model ternausnet 0,1,2,3,4 ")
    with pytest.raises(UserError, match=r"members must be \[ternaus, albu, asanakoy\]"):
        Reporting(plan(members=["albu"])).needs_all_members(None)
