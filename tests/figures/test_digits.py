import json

import pytest

from carvana.errors import UserError
from carvana.figures.digits import Digits, cpus_of, digits_of, read_digits, write_digits
from carvana.verification.digits import check_digits

FIGURES = {"out_of_fold/model/a": 0.9123456789, "training_loss/a": 1.5}
EXPECTED = Digits("a cpu", "torch=1", {"folds": 2}, digits_of(FIGURES))


def only(figures, cpus=frozenset({"a cpu"}), packages="torch=1"):
    (check,) = check_digits(figures, cpus, packages, EXPECTED)
    return check


def job(folder, **more):
    folder.mkdir(parents=True)
    document = {"device": "cpu", "device_name": "x86_64", "environment": {"cpu": "a cpu"}, **more}
    (folder / "timings.json").write_text(json.dumps(document))


def test_digits_come_back_from_their_file(tmp_path):
    write_digits(EXPECTED, tmp_path / "digits.yaml")
    assert read_digits(tmp_path / "digits.yaml") == EXPECTED
    assert EXPECTED.figures["out_of_fold/model/a"] == 0.912346


def test_one_digit_that_differs_fails():
    assert only(FIGURES).verdict == "holds"
    one = only({**FIGURES, "out_of_fold/model/a": 0.912347})
    assert (one.verdict, one.measured) == ("FAILS", "1 differ, first out_of_fold/model/a")
    assert only({"training_loss/a": 1.5}).verdict == "FAILS"
    assert only({**FIGURES, "training_loss/b": 1.5}).verdict == "FAILS"


@pytest.mark.parametrize(
    ("cpus", "packages"),
    [({"another"}, "torch=1"), ({"a cpu", "another"}, "torch=1"), ({"a cpu"}, "torch=2"), (set(), "torch=1")],
)
def test_under_other_conditions_nothing_is_expected(cpus, packages):
    assert only({"training_loss/a": 2.0}, cpus, packages).verdict == "no expectation"


def test_without_a_run_there_is_no_row():
    assert check_digits(FIGURES, {"a cpu"}, "torch=1", None) == []


def test_jobs_say_what_they_were_computed_on(tmp_path):
    job(tmp_path / "models/a/fold0")
    assert cpus_of(tmp_path) == {"a cpu"}
    job(tmp_path / "models/a/fold1", device="cuda", device_name="a gpu")
    assert cpus_of(tmp_path) == {"a cpu", "a gpu"}
    job(tmp_path / "oof/a", environment={})
    assert cpus_of(tmp_path) == {"a cpu", "a gpu", "None"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"device": "cpu"}'])
def test_a_damaged_timing_is_told(tmp_path, text):
    job(tmp_path / "models/a/fold0")
    (tmp_path / "models/a/fold0/timings.json").write_text(text)
    with pytest.raises(UserError, match=r"timings\.json cannot be read .*; run the step"):
        cpus_of(tmp_path)


@pytest.mark.parametrize("text", ["", "- 1", "cpu: a", "a: b: c"])
def test_a_file_of_something_else_is_named(tmp_path, text):
    (tmp_path / "digits.yaml").write_text(text)
    with pytest.raises(UserError, match=r"digits.yaml cannot be read .*; `make digits`"):
        read_digits(tmp_path / "digits.yaml")
