import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from carvana.errors import UserError
from carvana.revision import ROOT
from carvana.verification.check import Check
from carvana.verification.document import Verification, format_checks, read_verification, write_verification

CHECKS = (
    Check("folds", "fma: SHA-256", "ab", "equal", "ab", "holds", "published"),
    Check("out_of_fold", "model/ternausnet", "0.9", "0.8 .. 1", "0.5", "FAILS", "99 % of 5 runs"),
    Check("leaderboard", "ensemble: private", "0.99", "one value", "not submitted", "no expectation", "x & y"),
)


def test_the_verdict_comes_back_from_json(tmp_path):
    verification = Verification(CHECKS, {"ternausnet/fold0": "0" * 64})
    write_verification(verification, tmp_path / "v.json", tmp_path / "v.xml")
    assert read_verification(tmp_path / "v.json") == verification
    with pytest.raises(UserError, match="verify` again"):
        read_verification(tmp_path / "none.json")


@pytest.mark.parametrize(("checks", "holds"), [(CHECKS, False), (CHECKS[:1], True), (CHECKS[2:], False)])
def test_the_json_says_whether_the_reproduction_holds(tmp_path, checks, holds):
    write_verification(Verification(checks, {}), tmp_path / "v.json", tmp_path / "v.xml")
    assert json.loads((tmp_path / "v.json").read_text())["holds"] is holds


def test_junit_has_a_case_for_every_check(tmp_path):
    write_verification(Verification(CHECKS, {}), tmp_path / "v.json", tmp_path / "v.xml")
    (suite,) = ElementTree.parse(tmp_path / "v.xml").getroot()
    assert {key: suite.get(key) for key in ("tests", "failures", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["skipped"]]
    assert "measured 0.5" in suite[1][0].get("message", "")


def test_the_table_is_aligned():
    lines = format_checks(CHECKS).splitlines()
    assert len(lines) == 4
    assert len({line.index(check.verdict) for line, check in zip(lines[1:], CHECKS, strict=True)}) == 1


SCORED = Check("out_of_fold", "model/ternausnet", "0.9", "0.8 .. 1", "0.9", "holds", "99 % of 5 runs")
UNPUBLISHED = Check(
    "leaderboard", "mine: private", "", "", "0.99", "no expectation", "no such submission was published"
)


@pytest.mark.parametrize(
    ("checks", "code", "told"),
    [
        ([CHECKS[0], SCORED], 0, "the reproduction holds wherever there is an expectation\n"),
        (CHECKS, 1, "error: the reproduction does not hold: 1 of 3 checks fail\n"),
        (CHECKS[2:], 1, "error: the reproduction is not shown to hold: no check has an expectation\n"),
        # Kaggle was not asked in the one case, and in the other it was.
        *(
            (
                [CHECKS[0], unjudged],
                0,
                "nothing fails, but no score had an expectation: the table says why for each\n",
            )
            for unjudged in (CHECKS[2], UNPUBLISHED)
        ),
    ],
)
def test_the_exit_code_is_the_verdict_and_its_sentence_the_last(tmp_path, checks, code, told):
    write_verification(Verification(tuple(checks), {}), tmp_path / "v.json", tmp_path / "v.xml")
    command = [sys.executable, "workflow/scripts/verify.py", "--verification", str(tmp_path / "v.json")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == code, run.stderr
    assert run.stdout + run.stderr == format_checks(checks) + "\n" + told
