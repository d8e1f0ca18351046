"""The stand-in by itself; that the real client understands it is shown in tests/kaggle."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from carvana import rle
from carvana.errors import UserError
from carvana.geometry import SMALL
from carvana.metrics import dice
from carvana.standin.competition import score_submission
from carvana.standin.faults import Fault, FaultPlan


def test_faults_come_in_turn_and_then_no_more():
    plan = FaultPlan({"file": [Fault("empty"), None, Fault("reset")]})
    taken = [plan.take("file") for _ in range(4)]
    assert [fault.action if fault else None for fault in taken] == ["empty", None, "reset", None]
    assert plan.take("upload") is None


def test_a_repeated_fault_stays():
    plan = FaultPlan({"file": [Fault("empty"), Fault("reset", repeat=True)]})
    assert [fault.action for _ in range(4) if (fault := plan.take("file"))] == ["empty", "reset", "reset", "reset"]


@pytest.mark.parametrize(
    "given",
    [{"files": []}, {"file": [{"action": "explode"}]}, {"file": [{"acton": "empty"}]}, {"file": 1}, ["file"]],
)
def test_a_wrong_plan_is_refused(given):
    with pytest.raises(UserError, match=r"no such fault|malformed"):
        FaultPlan.from_json(given)


def test_scores_are_the_means_of_the_public_and_of_the_private_images(drawn, tmp_path):
    rows = [line.split(",") for line in (drawn / "solution.csv").read_text().splitlines()[1:]]
    half = rle.decode(rows[0][1], SMALL.image_size)
    half[: half.shape[0] // 2] = 0
    masks = {name: rle.encode(half) for name, _, _ in rows}
    submission = tmp_path / "submission.csv"
    submission.write_text("img,rle_mask\n" + "".join(f"{name},{mask}\n" for name, mask in masks.items()))
    scores = score_submission(submission, drawn, SMALL)
    for usage in ("Public", "Private"):
        truths = [rle.decode(truth, SMALL.image_size) for _, truth, used in rows if used == usage]
        assert scores[usage] == pytest.approx(sum(dice(half, truth) for truth in truths) / len(truths), abs=1e-12)
    assert scores["Public"] is not None
    assert 0.1 < scores["Public"] < 0.9


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: lines[:-2], "2 of 16 test images are missing"),
        (lambda lines: [*lines, lines[-1]], "there twice"),
        (lambda lines: [*lines, "ffffffffffff_01.jpg,1 1"], "not a test image"),
        (lambda lines: [*lines[:-1], lines[-1].replace("1 1", "5 1 2 1")], "not in ascending order"),
        (lambda lines: [*lines[:-1], lines[-1].replace("1 1", "1 99999")], "past the last"),
    ],
)
def test_what_cannot_be_scored_is_told(drawn, tmp_path, change, told):
    lines = (drawn / "sample_submission.csv").read_text().splitlines()
    (tmp_path / "submission.csv").write_text("\n".join(change(lines)) + "\n")
    with pytest.raises(UserError, match=told):
        score_submission(tmp_path / "submission.csv", drawn, SMALL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_by_hand_in_the_background_too(drawn, tmp_path, number):
    (tmp_path / "faults.json").write_text(json.dumps({"file": [{"action": "status", "status": 503}]}))
    command = [sys.executable, "-m", "carvana.standin", str(drawn), "--faults", str(tmp_path / "faults.json")]
    ignoring = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command]
    process = subprocess.Popen(ignoring, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    exported = dict(re.findall(r"export (\w+)=(\S+)", "".join(process.stdout.readline() for _ in range(6))))
    assert set(exported) == {"KAGGLE_API_ENVIRONMENT", "http_proxy", "no_proxy", "KAGGLE_USERNAME", "KAGGLE_KEY"}
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(f"{exported['http_proxy']}/files/metadata.csv?token=1")
    process.send_signal(number)
    assert process.wait(timeout=20) == 0


def test_a_missing_folder_is_told(tmp_path):
    command = [sys.executable, "-m", "carvana.standin", str(tmp_path / "none")]
    run = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert run.returncode == 1
    assert "no such folder" in run.stderr
