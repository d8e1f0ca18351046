"""`make sample`, as a newcomer runs it, and what it leaves behind."""

import json
import re
import subprocess
import sys

import cv2
import pytest

from carvana.geometry import SMALL
from carvana.reading import read_rows
from carvana.revision import ROOT
from carvana.submission.check import validate_submission
from carvana.submission.mask_table import sample_names
from tests.pages import PAGES

RESULTS = ROOT / "results" / "sample"

pytestmark = pytest.mark.sample


@pytest.fixture(scope="module")
def printed() -> str:
    """What `make sample` printed; it has ended well."""
    run = subprocess.run(["make", "sample"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    return run.stdout + run.stderr


@pytest.fixture(scope="module")
def scores(printed) -> dict[tuple[str, str], dict[str, str]]:
    return {(row["level"], row["name"]): row for row in read_rows(RESULTS / "scores.csv")}


def test_the_table_has_every_row_and_every_score(scores):
    levels = [level for level, _ in scores]
    assert {level: levels.count(level) for level in levels} == {
        "baseline": 2,
        "model": 9,
        "recipe": 4,
        "member": 4,
        "ensemble": 1,
    }
    for row in scores.values():
        assert all(0 <= float(row[column]) <= 1 for column in ("out_of_fold", "public", "private"))
        assert row["geometry"] == "small"


def test_json_and_csv_agree(scores):
    for row in json.loads((RESULTS / "scores.json").read_text()):
        assert float(scores[row["level"], row["name"]]["out_of_fold"]) == pytest.approx(row["out_of_fold"], abs=1e-6)


def test_every_model_recipe_and_member_beats_the_baselines(scores):
    best = max(float(row["out_of_fold"]) for (level, _), row in scores.items() if level == "baseline")
    learnt = {name: float(row["out_of_fold"]) for (level, name), row in scores.items() if level != "baseline"}
    assert min(learnt.values()) > best + 0.05, learnt


def test_the_ensemble_reaches_what_the_readme_promises(scores):
    assert float(scores["ensemble", "ensemble"]["out_of_fold"]) >= 0.95


def test_every_network_learnt(printed):
    histories = sorted((RESULTS / "models").glob("*/fold*/history.csv"))
    # Nine models of two folds.
    assert len(histories) == 18
    for history in histories:
        losses = [float(row["train_loss"]) for row in read_rows(history)]
        assert losses[-1] < 0.75 * losses[0], history


def test_a_small_run_and_random_encoders_are_said(scores):
    assert "cannot be submitted" in scores["ensemble", "ensemble"]["note"]
    assert "random weights" in scores["model", "ternausnet"]["note"]
    assert "random weights" not in scores["model", "unet_scratch"]["note"]


def test_every_submission_is_valid(printed):
    names = sample_names(RESULTS / "competition" / "sample_submission.csv")
    for name in ("ensemble", "ternaus", "albu", "asanakoy_scratch", "asanakoy_vgg11"):
        validate_submission(RESULTS / "submissions" / f"{name}.csv.gz", names, SMALL.image_size)


def test_every_network_left_weights_history_and_its_recipe(printed):
    for suffix in ("weights.safetensors", "history.csv", "recipe.yaml", "timings.json"):
        assert len(list((RESULTS / "models").glob(f"*/fold*/{suffix}"))) == 18


def test_there_is_one_out_of_fold_dice_per_training_image(printed):
    tables = sorted((RESULTS / "oof").glob("*/dice.csv"))
    assert len(tables) == 9
    images = {row["name"] for row in read_rows(RESULTS / "data" / "train.csv")}
    for table in tables:
        assert {row["img"] for row in read_rows(table)} == images


def test_the_unreliable_top_rule_acted(printed):
    fired = []
    for table in (RESULTS / "masks" / "ensemble").glob("*.csv"):
        fired += [row["fired"] for row in read_rows(table)]
    assert {"0", "1"} == set(fired)


def test_the_picture_shows_something(printed):
    picture = cv2.imread(str(RESULTS / "picture.png"))
    assert picture is not None
    assert picture.std() > 20


def test_a_second_run_has_nothing_to_do(printed):
    again = subprocess.run(["make", "sample"], cwd=ROOT, check=True, capture_output=True, text=True)
    assert "Nothing to be done" in again.stdout + again.stderr


def test_the_readmes_way_to_look_at_a_map_works(printed, tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGES["README.md"], re.DOTALL)
    (tmp_path / "results").symlink_to(ROOT / "results")
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "True" in run.stdout
    shown = cv2.imread(str(tmp_path / "map.png"), cv2.IMREAD_GRAYSCALE)
    assert shown is not None
    assert shown.shape == SMALL.image_size
