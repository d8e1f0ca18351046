import ast
import os
import re
import shutil
import subprocess
import sys

import pytest

from carvana import provenance
from carvana.planning.provenance import MERGING
from carvana.provenance import canonical_syntax, code_digest, recipe_digest, used_modules
from carvana.recipe_files import _documents, load_recipe, model_names
from carvana.revision import ROOT
from tests.programs import SCRIPTS


def syntax(text: str) -> str:
    return canonical_syntax(ast.parse(text))


def test_comments_docstrings_and_formatting_do_not_count():
    plain = "def area(side):\n    return side * side\n"
    dressed = (
        '"""Squares."""\n\n\ndef area(\n    side,\n):\n    """The area."""\n    # multiply\n    return (side * side)\n'
    )
    assert syntax(plain) == syntax(dressed)


@pytest.mark.parametrize("changed", ["return side + side", "return side * 2", "return side"])
def test_a_changed_expression_counts(changed):
    assert syntax("def area(side):\n    return side * side") != syntax(f"def area(side):\n    {changed}")


def test_a_function_of_a_docstring_alone_can_be_read():
    assert syntax('def area():\n    """Later."""') == "(Module body=[(FunctionDef name='area' args=(arguments))])"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package of the same name: script -> a -> b, and c which only a recipe names."""
    (tmp_path / "carvana").mkdir()
    for name, text in {"a": "from carvana import b", "b": "X = 1", "c": "Y = 1", "unused": "Z = 1"}.items():
        (tmp_path / "carvana" / f"{name}.py").write_text(text)
    (tmp_path / "carvana" / "__init__.py").touch()
    (tmp_path / "script.py").write_text("def main():\n    import carvana.a\n")
    monkeypatch.setattr(provenance, "SOURCE", tmp_path)

    def digest():
        provenance._syntax_and_imports.cache_clear()
        code_digest.cache_clear()
        return code_digest(tmp_path / "script.py", ("carvana.c",))

    return tmp_path, digest


def test_modules_reached_through_imports_and_recipes_count(package):
    folder, digest = package
    assert used_modules(folder / "script.py", ("carvana.c",)) == ("carvana", "carvana.a", "carvana.b", "carvana.c")
    first = digest()
    for name, counts in {"b": True, "c": True, "unused": False}.items():
        path = folder / "carvana" / f"{name}.py"
        original = path.read_text()
        path.write_text(original.replace("1", "2"))
        assert (digest() != first) is counts, name
        path.write_text(original)
    assert digest() == first


def test_a_module_that_a_recipe_misspells_is_named(package):
    with pytest.raises(ModuleNotFoundError, match=r"carvana\.d, named by a recipe"):
        used_modules(package[0] / "script.py", ("carvana.d",))


def test_a_network_counts_for_its_own_recipe_only():
    modules = tuple(load_recipe("ternausnet").modules.model_dump().values())
    used = used_modules(SCRIPTS / "train.py", modules)
    assert "carvana.networks.ternausnet" in used
    assert "carvana.training.loop" in used
    assert not set(used) & provenance.WITHOUT_EFFECT
    assert not {"carvana.networks.linknet34", "carvana.networks.unet", "carvana.maps.postprocess"} & set(used)


def test_a_recipe_digest_follows_its_sections():
    training = ("training", "optimizer")
    assert recipe_digest("linknet34_fma_s44", training) == recipe_digest("linknet34_f04a_clahe", training)
    assert recipe_digest("linknet34_fma_s44", training) != recipe_digest("linknet34_f04a_clahe_rmsprop", training)


def test_how_inputs_are_fetched_and_read_does_not_count_for_a_network():
    modules = tuple(load_recipe("ternausnet").modules.model_dump().values())
    left_out = provenance.WITHOUT_EFFECT | provenance.COUNTED_BY_CONTENT
    used = used_modules(SCRIPTS / "train.py", modules, left_out)
    assert not {"carvana.fetching", "carvana.exclusion", "carvana.data.manifest", "carvana.yaml_text"} & set(used)


def test_code_is_read_alike_in_every_locale():
    script = "from pathlib import Path; from carvana.provenance import code_digest; print(code_digest(Path({!r})))"
    command = [sys.executable, "-c", script.format(str(SCRIPTS / "report.py"))]
    locales = [{"PYTHONUTF8": "1"}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}]
    runs = [subprocess.run(command, env={**os.environ, **one}, capture_output=True, text=True) for one in locales]
    assert {run.stdout for run in runs} == {f"{code_digest(SCRIPTS / 'report.py')}\n"}, runs[1].stderr


def test_modules_that_do_not_count_exist():
    assert all(map(provenance._module_file, provenance.WITHOUT_EFFECT | provenance.COUNTED_BY_CONTENT))


@pytest.mark.parametrize("script", ["train.py", "predict.py"])
def test_what_comes_after_maps_does_not_count_for_networks_and_maps(script):
    modules = load_recipe("unet_vgg11").modules.model_dump().values()
    used = used_modules(ROOT / "workflow/scripts" / script, tuple(modules))
    after = ("rle", "metrics", "baselines", "grading", "submission", "report", "maps.ensemble", "maps.combine")
    assert [one for one in used if one.removeprefix("carvana.").startswith(after)] == []
    assert "carvana.networks.vgg_unet" in used


def test_an_edit_of_what_the_rule_of_merging_is_made_of_counts(tmp_path):
    shutil.copytree(ROOT / "config" / "recipes", tmp_path / "recipes")
    path = tmp_path / "recipes" / "linknet34.yaml"
    found, text = set(), path.read_text()
    merge, mask = "merge:\n  to_8_bits: {value: ", "submission:\n  of: {value: "
    for old, new in ((merge, merge), (f"{merge}truncate", f"{merge}round"), (f"{mask}merged", f"{mask}mean")):
        assert old in text
        path.write_text(text.replace(old, new, 1))
        for cached in (recipe_digest, load_recipe, _documents):
            cached.cache_clear()
        found.add(recipe_digest("linknet34_fma_s44", MERGING, tmp_path / "recipes"))
    assert len(found) == 3


# Of modules that a network's key leaves out, those that use what computes: names, devices, memory, what is shown; and
# the folds, which are in the key themselves.
KNOWN = {"arrays", "computing.usable", "folds", "prediction.timings"}
KNOWN |= {"training.memory", "training.memory_count", "training.tensorboard"}


@pytest.mark.parametrize("script", ["train.py", "validate.py", "predict.py"])
def test_whatever_computes_is_in_a_networks_key(script):
    named = {module for model in model_names() for module in load_recipe(model).modules.model_dump().values()}
    reached = used_modules(SCRIPTS / script, named, frozenset())
    counted = used_modules(SCRIPTS / script, named, provenance.WITHOUT_EFFECT | provenance.COUNTED_BY_CONTENT)
    for module in set(reached) - set(counted) - {f"carvana.{name}" for name in KNOWN}:
        path = provenance._module_file(module)
        assert path is not None
        assert not re.search(r"^(import|from) (torch|numpy|cv2|PIL)\b", path.read_text(), re.MULTILINE), module
