"""What an edit makes run again, of everything that `tiny` makes: planned, in a copy whose results are empty files."""

import shutil
import subprocess
import sys

import pytest

from carvana.catalogue import models_of
from carvana.data.manifest import Manifest, write_manifest
from carvana.recipe_files import model_names
from carvana.revision import ROOT
from tests.workflow.checkout import Checkout

pytestmark = pytest.mark.slow

MODELS = sorted(model_names())
LINE = "from __future__ import annotations\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkout in which Snakemake takes everything for made by the code as it is."""
    checkout = Checkout(tmp_path_factory.mktemp("made"), targets=("all", "report"))
    (checkout.folder / "docs").mkdir()
    shutil.copy(ROOT / "docs/conformance.md", checkout.folder / "docs")
    for line in checkout.snakemake("--summary").splitlines():
        if line.startswith("results/"):
            path = checkout.folder / line.split("\t")[0]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    # These are read when jobs are planned.
    for split in ("train", "test"):
        write_manifest(Manifest(()), checkout.run_folder / "data" / f"{split}.csv")
    checkout.snakemake("--touch")
    return checkout


@pytest.fixture
def edited(made, tmp_path):
    """The checkout, whose edits are taken back behind the test; then nothing is to be done any more."""
    for name in ("src", "workflow", "config"):
        shutil.copytree(made.folder / name, tmp_path / name)
    yield made
    for name in ("src", "workflow", "config"):
        shutil.copytree(tmp_path / name, made.folder / name, dirs_exist_ok=True)


def twice(models):
    return sorted([*models, *models])


# All masks are cut out of maps that are there, and what follows from masks is made anew.
FROM_MASKS = {"picture", "report", "score", "verification", "write_submission"}
FROM_MAPS = {"analysis", "ensemble", "merge", "model_masks", *FROM_MASKS}


def test_words_and_formatting_rerun_nothing(edited):
    network = edited.folder / "src" / "carvana" / "networks" / "linknet34.py"
    network.write_text(network.read_text().replace('"""', '# A remark.\n"""More words. ', 1))
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--isolated", "--line-length", "60"]
    subprocess.run([*command, "src", "workflow/scripts"], cwd=edited.folder, check=True)
    assert len(network.read_text().splitlines()) > 90
    assert edited.planned() == {}


def test_another_postprocessing_predicts_and_merges_nothing(edited):
    edited.edit("src/carvana/maps/postprocess.py", LINE, f"{LINE}\nX = 1\n")
    assert set(edited.planned()) == {"analysis", "ensemble", *FROM_MASKS}


def test_another_linknet_trains_linknets_only(edited):
    edited.edit("src/carvana/networks/linknet34.py", LINE, f"{LINE}\nX = 1\n")
    jobs = edited.planned()
    assert set(jobs) == {"train", "validate", "predict", *FROM_MAPS}
    assert jobs["train"] == twice(models_of("linknet34"))
    assert jobs["validate"] == jobs["predict"] == sorted(models_of("linknet34"))
    assert set(jobs["merge"]) == {"linknet34"}


def test_another_value_of_a_recipe_trains_that_recipe_only(edited):
    edited.edit("config/recipes/unet_scratch.yaml", "weight_decay: {value: 5.0e-4,", "weight_decay: {value: 6.0e-4,")
    jobs = edited.planned()
    assert jobs["train"] == ["unet_scratch"] * 2
    assert jobs["validate"] == jobs["predict"] == jobs["merge"][:1] == ["unet_scratch"]
    assert set(jobs["merge"]) == {"unet_scratch"}


def test_taken_back_nothing_is_to_be_done(edited):
    original = edited.edit("src/carvana/training/loop.py", LINE, f"{LINE}\nX = 1\n")
    assert edited.planned()["train"] == twice(MODELS)
    (edited.folder / "src/carvana/training/loop.py").write_text(original)
    assert edited.planned() == {}


def test_what_saves_memory_trains_nothing_again(edited):
    for setting, before, after in (
        ("activation_checkpointing", "false", "true"),
        ("gpus_per_training", "1", "2"),
        ("gpu_memory", "null", "11"),
    ):
        line = f"{setting}:\n  ternausnet: "
        edited.edit("config/config.yaml", line + before, line + after)
    assert edited.planned() == {}


def test_what_is_shown_and_how_many_load_images_runs_nothing_again(edited):
    for setting, before, after in (("quiet", "false", "true"), ("workers", "2", "3"), ("save_minutes", "10", "5")):
        edited.edit("config/config.yaml", f"\n{setting}: {before}\n", f"\n{setting}: {after}\n")
    tiny = edited.folder / "config/tiny.yaml"
    lines = tiny.read_text().splitlines(keepends=True)
    tiny.write_text("".join(line for line in lines if not line.startswith(("quiet:", "workers:", "save_minutes:"))))
    assert edited.planned() == {}


def test_another_rule_of_merging_is_seen_by_all_that_merge(edited):
    edited.edit(
        "config/recipes/linknet34.yaml",
        "merge:\n  to_8_bits: {value: truncate,",
        "merge:\n  to_8_bits: {value: round,",
    )
    jobs = edited.planned()
    assert "analysis" in jobs and jobs["merge"][:1] == ["linknet34"]
    assert not {"train", "predict", "validate"} & set(jobs)


@pytest.mark.parametrize("kind", ["css", "js"])
def test_another_look_is_another_report(edited, kind):
    path = edited.folder / f"src/carvana/report/page.{kind}"
    path.write_text(path.read_text() + "/* */")
    assert set(edited.planned()) == {"report"}


@pytest.mark.parametrize(
    "module", ["rle", "metrics", "maps/ensemble", "maps/merging", "submission/check", "grading/dice", "report/page"]
)
def test_what_comes_after_maps_trains_and_predicts_nothing_again(edited, module):
    edited.edit(f"src/carvana/{module}.py", LINE, f"{LINE}\nX = 1\n")
    assert not {"train", "predict"} & set(edited.planned())
