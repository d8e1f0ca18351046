"""The kill test in its short form; `make kills` is the full one."""

import pytest

from carvana.revision import ROOT
from tests.faults.kills import WRITING, compare, final_files, stage_of

MODEL = "linknet34_f04a_clahe"
STAGES = ("download", "train linknet34", "predict", "merge", WRITING)


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_the_same():
    compare([MODEL], ROOT / "config" / "tiny.yaml", kills=1, stages=STAGES, seed=0)


def test_the_stage_of_a_process():
    train = ["python", "workflow/scripts/train.py", "--model", "linknet34_fma_s44"]
    assert stage_of(train) == "train linknet34"
    assert stage_of(["python", "workflow/scripts/merge.py"]) == "merge"
    assert stage_of(["python", "workflow/scripts/folds.py"]) is None
    assert stage_of(["python", "-m", "snakemake"]) is None


def test_a_flipped_bit_would_be_seen(tmp_path):
    run = tmp_path / "tiny"
    (run / "models").mkdir(parents=True)
    (tmp_path / "store").mkdir()
    (run / "models" / "weights.safetensors").write_bytes(b"0")
    (run / "models" / "timings.json").write_text("not compared")
    before = final_files(tmp_path)
    assert list(before) == ["models/weights.safetensors"]
    (run / "models" / "weights.safetensors").write_bytes(b"1")
    assert final_files(tmp_path) != before
