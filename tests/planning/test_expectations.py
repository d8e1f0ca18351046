import shutil
from pathlib import Path

import pytest
import yaml

from carvana.figures.digits import Digits, write_digits
from carvana.planning.plan import Plan
from carvana.revision import ROOT
from tests.planning.plans import plan


def with_bands(tmp_path: Path, **configuration) -> Path:
    """A root whose bands were measured with this configuration."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    document = {"conditions": {"configuration": {"precision": "bf16", **configuration}}, "bands": {}}
    (tmp_path / "config/sample_bands.yaml").write_text(yaml.safe_dump(document))
    return tmp_path


def test_bands_hold_for_the_configuration_that_they_were_measured_with(tmp_path):
    root = with_bands(tmp_path, folds=2, data={"source": "synthetic"})
    same = {"folds": 2, "data": {"source": "synthetic"}}
    run = Plan(plan(**same, seed=7, precision="bf16").config, root)
    assert run.expectations.bands() == "config/sample_bands.yaml"
    assert run.expectations.arguments().endswith("--bands config/sample_bands.yaml")
    assert Plan(plan(**same).config, root).expectations.arguments().endswith("' (they: bf16, this run: exact)'")
    assert Plan(plan(**{**same, "folds": 3}).config, root).expectations.bands() == ""
    assert Plan(plan(folds=2).config, root).expectations.bands() == ""
    smaller = {**plan().config["images_per_step"], "linknet34": 2}
    assert Plan(plan(**same, images_per_step=smaller).config, root).expectations.bands() == ""
    (root / "config/sample_bands.yaml").unlink()
    assert run.expectations.bands() == ""


def test_a_run_is_verified_against_the_published_folds_and_all_networks():
    words = plan().expectations.arguments().split()
    assert words.count("--scheme") == 4
    assert sum(word.endswith(".safetensors") for word in words) == 49
    digests = list(plan().published["fold_digests"].values())
    assert sum(word in digests for word in words) == 4
    assert not any(digest in plan(folds=2).expectations.arguments() for digest in digests)


def test_digits_hold_for_the_same_configuration_precision_and_seed(tmp_path):
    root = with_bands(tmp_path)
    same = {"folds": 2, "precision": "bf16", "data": {"source": "synthetic"}}
    write_digits(Digits("a cpu", "torch=1", same, {"training_loss/a": 1.0}), root / "config/sample_digits.yaml")
    assert Plan(plan(**same).config, root).expectations.digits() == "config/sample_digits.yaml"
    assert Plan(plan(**same).config, root).expectations.arguments().endswith("--digits config/sample_digits.yaml")
    for other in ({"precision": "exact"}, {"seed": 7}, {"folds": 3}, {"threads": 7}):
        assert Plan(plan(**{**same, **other}).config, root).expectations.digits() == ""
    (root / "config/sample_digits.yaml").unlink()
    assert Plan(plan(**same).config, root).expectations.digits() == ""


def test_the_samples_bands_are_of_the_sample():
    sample = yaml.safe_load((ROOT / "config/sample.yaml").read_text())
    assert plan(**sample).expectations.bands() == "config/sample_bands.yaml"


@pytest.mark.parametrize(
    "changes",
    [
        {"geometry": "small"},
        {"data": {"exclude": "marks.csv"}},
        {"edition": "presented"},
        {"weights": "released"},
        {"released": {"folder": "elsewhere"}},
        {"members": ["albu"]},
        {"encoder_weights": {"source": "random"}},
        {"folds": 2},
        {"epochs": {"linknet34": 7}},
        {"images_per_step": {"linknet34": 2}},
        {"pseudo_labels": {"cars": 7}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_whatever_decides_figures_takes_bands_and_digits_away(tmp_path, changes):
    root = with_bands(tmp_path)
    write_digits(Digits("a cpu", "torch=1", {}, {"training_loss/a": 1.0}), root / "config/sample_digits.yaml")
    same, other = Plan(plan().config, root).expectations, Plan(plan(**changes).config, root).expectations
    assert (same.bands(), same.digits()) == ("config/sample_bands.yaml", "config/sample_digits.yaml")
    assert (other.bands(), other.digits()) == ("", "")
