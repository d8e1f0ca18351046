"""What changes a key, and what does not: on a copy of the code, edited."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from carvana import keys, provenance
from carvana.data.manifest import Manifest
from carvana.folds import folds_digest
from carvana.keys import digest_of, images_digest
from carvana.provenance import code_digest, step_digest
from carvana.recipe_files import load_recipe
from carvana.revision import ROOT

MODELS = ("ternausnet", "linknet34_fma_s44", "unet_scratch", "unet_vgg11")
STEPS = ("train", "validate", "predict")


read = provenance._syntax_and_imports.__wrapped__
by_text: dict[str, tuple[str, tuple[str, ...]]] = {}


def syntax_and_imports(path):
    """As the original, which remembers a file by its name for the life of the process; here files change."""
    text = path.read_text()
    if text not in by_text:
        by_text[text] = read(path)
    return by_text[text]


@pytest.fixture
def code(tmp_path, monkeypatch):
    """A copy of the code, and a function that gives the digest of every step of every recipe in it."""
    shutil.copytree(ROOT / "src" / "carvana", tmp_path / "carvana")
    shutil.copytree(ROOT / "workflow" / "scripts", tmp_path / "scripts")
    monkeypatch.setattr(provenance, "SOURCE", tmp_path)
    monkeypatch.setattr(provenance, "_syntax_and_imports", syntax_and_imports)

    def digests():
        code_digest.cache_clear()
        found = {
            (step, m): step_digest(tmp_path / "scripts" / f"{step}.py", m, "released") for step in STEPS for m in MODELS
        }
        others = ("merge", "ensemble", "submission", "folds", "intake", "download")
        return found | {(name, ""): code_digest(tmp_path / "scripts" / f"{name}.py") for name in others}

    yield tmp_path / "carvana", digests
    code_digest.cache_clear()


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1, (path, old)
    path.write_text(text.replace(old, new, 1))


def append(path, text="\n\nADDED = 1\n"):
    path.write_text(path.read_text() + text)


def changed(before, after):
    return {step for step in before if before[step] != after[step]}


def test_comments_docstrings_and_formatting_change_nothing(code):
    folder, digests = code
    before = digests()
    for path in sorted(folder.rglob("*.py")):
        append(path, "\n\n# A remark.\n")
    edit(folder / "networks" / "linknet34.py", '"""', '"""More words. ')
    assert changed(before, digests()) == set()


@pytest.mark.parametrize(
    ("module", "steps"),
    [
        ("networks/linknet34.py", {(step, "linknet34_fma_s44") for step in STEPS}),
        ("networks/building.py", {(step, model) for step in STEPS for model in MODELS}),
        ("losses/ternaus.py", {("train", "ternausnet")}),
        ("maps/postprocess.py", {("ensemble", "")}),
        ("training/loop.py", {("train", model) for model in MODELS}),
        ("training/parts.py", {("train", model) for model in MODELS}),
        ("kaggle/download.py", {("download", "")}),
        ("arguments.py", set()),
        ("arrays.py", set()),
        ("data/intake.py", {("intake", "")}),
        ("data/manifest.py", {("intake", ""), ("folds", "")}),
        ("folds.py", {("folds", "")}),
        ("store/store.py", set()),
        ("computing/lease.py", set()),
        ("computing/nvidia.py", set()),
    ],
)
def test_a_change_counts_where_the_module_matters_and_taking_it_back_restores_the_keys(code, module, steps):
    folder, digests = code
    before = digests()
    original = (folder / module).read_text()
    append(folder / module)
    # What is not under a key may run again: it is cheap, and its result is compared by content.
    assert changed(before, digests()) - {("submission", "")} == steps
    (folder / module).write_text(original)
    assert digests() == before


def test_a_recipes_value_counts_for_its_recipe_alone(tmp_path):
    shutil.copytree(ROOT / "config" / "recipes", tmp_path / "recipes")
    sections = ("optimizer", "schedule", "training")

    def digests():
        provenance.recipe_digest.cache_clear()
        load_recipe.cache_clear()
        from carvana.recipe_files import _documents

        _documents.cache_clear()
        return {model: provenance.recipe_digest(model, sections, tmp_path / "recipes") for model in MODELS}

    before = digests()
    path = tmp_path / "recipes" / "unet_scratch.yaml"
    text = path.read_text()
    assert "weight_decay: {value: 5.0e-4," in text
    path.write_text(text.replace("weight_decay: {value: 5.0e-4,", "weight_decay: {value: 0.0007,"))
    after = digests()
    assert {model for model in MODELS if before[model] != after[model]} == {"unet_scratch"}
    path.write_text(text)
    assert digests() == before


# Facts of a training, and what others of it are made of.
OWN: dict[str, Any] = {"fold": 0, "epochs": 2, "images_per_step": 4, "seed": 0, "images": "a", "folds": "b"}
OWN |= {"encoder_weights": None, "excluded": [], "pseudo_labels": None}
COMMON: dict[str, Any] = {"model": "unet_scratch", "geometry": "small", "precision": "exact", "device": "cpu"}
COMMON |= {"threads": 1, "autotune": False, "edition": "released"}


def facts(**changes: Any) -> str:
    given = COMMON | OWN | changes
    common = keys.computing(ROOT / "workflow/scripts/train.py", **{name: given[name] for name in COMMON})
    return digest_of(keys.training(common, **{name: given[name] for name in OWN}))


def test_two_trainings_never_have_one_key():
    changes: list[dict[str, Any]] = [
        {},
        {"model": "unet_vgg11"},
        {"fold": 1},
        {"epochs": 3},
        {"images_per_step": 2},
        {"seed": 1},
        {"images": "c"},
        {"folds": "c"},
        {"encoder_weights": "c"},
        {"excluded": ["a_01.jpg"]},
        {"precision": "bf16"},
        {"device": "cuda"},
        {"device": "cuda", "autotune": True},
        {"threads": 2},
        {"edition": "presented"},
        {"pseudo_labels": "c"},
        {"pseudo_labels": "d"},
    ]
    assert len({facts(**change) for change in changes}) == len(changes)


def test_what_two_editions_have_in_common_is_made_once():
    one, other = ({"model": "ternausnet", "edition": edition} for edition in ("released", "presented"))
    assert facts(**one) == facts(**other)
    # Without pseudo-labels the facts are those of the time before there were any.
    assert "pseudo_labels" not in keys.training({}, **OWN)


INSIDE = """
import json
import sys
from pathlib import Path
from carvana import keys
script = Path(sys.argv[1], "workflow", "scripts", "train.py")
common, own = map(json.loads, sys.argv[2:])
print(keys.digest_of(keys.training(keys.computing(script, **common), **own)))
"""


def test_a_key_is_the_same_inside_a_container(tmp_path):
    """Other paths, another user, home, language and time zone, other settings of Python, and an image's digest."""
    for name in ("src", "config", "workflow"):
        shutil.copytree(ROOT / name, tmp_path / name)
    environment = {
        "PYTHONPATH": str(tmp_path / "src"),
        "PYTHONHASHSEED": "7",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": "/nonexistent",
        "USER": "somebody",
        "LANG": "C",
        "TZ": "Asia/Tokyo",
        "CUDA_VISIBLE_DEVICES": "3",
        "CARVANA_IMAGE": "sha256:" + "ab" * 32,
    }
    command = [sys.executable, "-c", INSIDE, str(tmp_path), json.dumps(COMMON), json.dumps(OWN)]
    run = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert run.stdout.strip() == facts()


def test_autotuning_counts_on_the_gpu_only():
    assert facts(autotune=True) == facts()


def test_the_number_of_threads_counts_on_the_cpu_only():
    assert facts(device="cuda", threads=1) == facts(device="cuda", threads=8)


def test_predictions_depend_on_the_weights_order_and_the_shard(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    one, two = tmp_path / "one", tmp_path / "two"
    given = [("a", [one, two]), ("a", [two, one]), ("a", [one]), ("b", [one, two])]
    assert len({digest_of(keys.prediction({}, images, weights)) for images, weights in given}) == 4
    # The same weights elsewhere are the same.
    (tmp_path / "copy").write_text("one")
    assert keys.prediction({}, "a", [tmp_path / "copy"]) == keys.prediction({}, "a", [one])


def test_images_count_by_content_and_not_by_place(manifest, tmp_path):
    moved = []
    for record in manifest:
        for attribute in ("file", "mask"):
            target = tmp_path / Path(getattr(record, attribute)).name
            shutil.copy(getattr(record, attribute), target)
            record = replace(record, **{attribute: str(target)})
        moved.append(record)
    assert images_digest(moved, "small") == images_digest(manifest, "small")
    Path(moved[3].file).write_bytes(Path(moved[4].file).read_bytes())
    assert images_digest(moved, "small") != images_digest(manifest, "small")
    # At full size the manifest has the digests; no file is read.
    absent = [replace(record, file="nowhere", mask="nowhere") for record in manifest]
    assert images_digest(absent, "full") == images_digest(manifest, "full")
    other = Manifest((replace(absent[0], sha256="another"), *absent[1:]))
    assert images_digest(other, "full") != images_digest(absent, "full")


def test_folds_count_by_content():
    assert folds_digest({"a": 0, "b": 1}) == folds_digest({"b": 1, "a": 0})
    assert folds_digest({"a": 0, "b": 1}) != folds_digest({"a": 1, "b": 0})


def test_a_package_counts_by_its_release_not_by_its_build(monkeypatch):
    def versions(suffix):
        provenance.package_versions.cache_clear()
        monkeypatch.setattr(provenance, "version", lambda name: f"1.2.3{suffix}")
        return provenance.package_versions()

    # On the host, in the container with CUDA, and another release.
    assert versions("") == versions("+cu128") == versions("+cpu")
    assert versions(".1") != versions("")
    provenance.package_versions.cache_clear()


def test_whatever_its_numbers_are_made_by_is_in_a_networks_facts(monkeypatch):
    before = facts()
    assert facts(geometry="full") != before
    for name, other in (
        ("step_digest", lambda *_: "other code"),
        ("recipe_digest", lambda *_, **__: "other values"),
        ("package_versions", lambda: "torch=0.2"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(keys, name, other)
            assert facts() != before, name
    assert facts() == before
