import pytest

from carvana.errors import UserError
from tests.planning.plans import plan


def test_a_report_is_about_the_ensemble():
    assert plan().reporting.masks() == "results/full/masks/ensemble/train.csv"
    assert plan().reporting.model_arguments().startswith("--model ternausnet 0,1,2,3,4 ")
    with pytest.raises(UserError, match=r"members must be \[ternaus, albu, asanakoy\]"):
        plan(members=["albu"]).reporting.masks()


def test_a_report_tells_of_every_teacher_once():
    assert (plan().reporting.pseudo_labels(), plan().reporting.pseudo_labels_arguments()) == ([], "")
    folder = "results/full-presented/pseudo_labels"
    rounds = f"--second-round ternausnet_pseudo ternausnet --precondition {folder}/precondition.json --teacher {folder}"
    own = plan(edition="presented", folds=2).reporting
    assert own.pseudo_labels_arguments() == f"{rounds}/fold0 --teacher {folder}/fold1"
    one = plan(edition="presented", pseudo_labels={"teacher": "ensemble"}).reporting
    assert one.pseudo_labels_arguments() == f"{rounds}/ensemble"
    assert one.pseudo_labels() == [f"{folder}/precondition.json", f"{folder}/ensemble/labels.csv"]


def test_the_other_edition_is_looked_at_where_it_was_run(tmp_path):
    presented = plan(edition="presented", results=str(tmp_path)).reporting
    assert (presented.other_edition_argument(), presented.other_edition_digest()) == ("", "")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/scores.json").write_text("[]")
    assert presented.other_edition_argument() == f"--other released {tmp_path}/full/scores.json"
    assert len(presented.other_edition_digest()) == 16
    assert plan(results=str(tmp_path)).reporting.other_edition_argument() == ""


def test_other_scores_of_the_other_edition_are_another_report(tmp_path):
    presented = plan(edition="presented", results=str(tmp_path)).reporting
    (tmp_path / "full").mkdir()
    found = set()
    for text in ("[]", "[ ]"):
        (tmp_path / "full/scores.json").write_text(text)
        found.add(presented.other_edition_digest())
    assert len(found) == 2
