"""What a result depends on besides its input files: the code that makes it, the recipe's values, the packages.

The digests become params of the workflow's rules: a job runs again exactly when one of them changes. Code counts by its
syntax, not its text: comments, docstrings and formatting do not matter.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Set
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from carvana.catalogue import sections
from carvana.recipe_files import RECIPE_FOLDER, RELEASED, Edition, load_recipe

SOURCE: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = Path(__file__).resolve().parent.name

# The packages whose release can change a number.
NUMERIC_PACKAGES: Final = ("torch", "numpy", "opencv-python-headless", "pillow", "h5py", "hdf5plugin")

# Modules that scripts use and that cannot change what they compute: what arrays are called, who may use which GPU, what
# is shown meanwhile, how files that are verified were fetched, where results are kept.
WITHOUT_EFFECT: Final = frozenset(
    {
        "carvana.arrays",
        "carvana.computing.cpu",
        "carvana.computing.environment",
        "carvana.computing.lease",
        "carvana.computing.nvidia",
        "carvana.computing.usable",
        "carvana.errors",
        "carvana.fetching",
        "carvana.interruption",
        "carvana.keys",
        "carvana.prediction.timings",
        "carvana.processes",
        "carvana.provenance",
        "carvana.store.claim",
        "carvana.store.store",
        "carvana.training.dead_workers",
        "carvana.training.memory",
        "carvana.training.memory_count",
        "carvana.training.progress_file",
        "carvana.training.progress_lines",
        "carvana.training.stopwatch",
        "carvana.training.tensorboard",
    }
)

# Modules that trainings and predictions read their arguments and input files with, or that a plan is made with: what
# was read is in a result's key (see `keys`), so how it was made or read need not be.
COUNTED_BY_CONTENT: Final = frozenset(
    {
        "carvana.arguments",
        "carvana.catalogue",
        "carvana.data.manifest",
        "carvana.exclusion",
        "carvana.folds",
        "carvana.reading",
        "carvana.recipe_files",
    }
)


def canonical_syntax(node: ast.AST) -> str:
    """The syntax tree as text that is the same for every Python release from 3.11 on, without docstrings.

    Empty and absent fields are left out, since newer releases add optional ones (such as `type_params`).
    """
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
        node.body = node.body[1:]
    parts = [type(node).__name__]
    for name, field in ast.iter_fields(node):
        if field is None or field == []:
            continue
        if isinstance(field, ast.AST):
            parts.append(f"{name}={canonical_syntax(field)}")
        elif isinstance(field, list):
            items = [canonical_syntax(item) if isinstance(item, ast.AST) else repr(item) for item in field]
            parts.append(f"{name}=[{','.join(items)}]")
        else:
            parts.append(f"{name}={field!r}")
    return f"({' '.join(parts)})"


def _module_file(module: str) -> Path | None:
    base = SOURCE.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(tree: ast.AST) -> Iterator[str]:
    """Names of modules of this package that the tree imports, wherever in the file it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == PACKAGE and _module_file(name))


@cache
def _syntax_and_imports(path: Path) -> tuple[str, tuple[str, ...]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = tuple(sorted(set(_imports(tree))))
    return canonical_syntax(tree), imports


def used_modules(script: Path, modules: Iterable[str] = (), left_out: Set[str] = WITHOUT_EFFECT) -> tuple[str, ...]:
    """Names of this package's modules that `script` reaches by import, and `modules` and what they reach; sorted.

    Those of `left_out` are not followed.
    """
    return _reached([*modules, *_syntax_and_imports(script)[1]], left_out)


def _reached(modules: Iterable[str], left_out: Set[str]) -> tuple[str, ...]:
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module in seen or module in left_out:
            continue
        seen.add(module)
        waiting.extend(_of_module(module)[1])
    return tuple(sorted(seen))


def _of_module(module: str) -> tuple[str, tuple[str, ...]]:
    path = _module_file(module)
    if path is None:
        raise ModuleNotFoundError(f"{module}, named by a recipe, is not a module of {SOURCE / PACKAGE}")
    return _syntax_and_imports(path)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


@cache
def code_digest(script: Path, modules: tuple[str, ...] = (), left_out: Set[str] = WITHOUT_EFFECT) -> str:
    """Digest of the syntax of `script` and of every module of this package that it uses, but for `left_out`."""
    used = {module: _of_module(module)[0] for module in used_modules(script, modules, left_out)}
    return _digest({"script": _syntax_and_imports(script)[0]} | used)


@cache
def modules_digest(modules: tuple[str, ...]) -> str:
    """Digest of the syntax of these modules of this package and of every one that they use."""
    return _digest({module: _of_module(module)[0] for module in _reached(modules, WITHOUT_EFFECT)})


def step_digest(script: Path, model: str, edition: Edition) -> str:
    """Digest of the code of a step whose results have keys: of its script, and of the modules of the model's recipe."""
    modules = load_recipe(model, edition=edition).modules.model_dump()
    used = tuple(modules[name] for name in sections(script.name).modules)
    return code_digest(script, used, WITHOUT_EFFECT | COUNTED_BY_CONTENT)


@cache
def recipe_digest(
    model: str, parts: tuple[str, ...], directory: Path = RECIPE_FOLDER, edition: Edition = RELEASED
) -> str:
    """Digest of the values in these sections of the model's recipe, such as `loss`."""
    return _digest(load_recipe(model, directory, edition).model_dump(mode="json", include=set(parts)))


@cache
def package_versions() -> str:
    """The installed releases of the packages that touch numbers, on one line; the same for any build of a release."""
    return " ".join(f"{name}={version(name).partition('+')[0]}" for name in NUMERIC_PACKAGES)


def listing_digest(paths: Iterable[Path]) -> str:
    """Digest of names, sizes and times of the files and folders that are there.

    Cheap enough for every planning of the workflow: a replaced archive or a file that is added is seen, an edit inside
    a folder's file is not (see `manifest.require_unchanged`).
    """
    found = []
    for path in paths:
        # What is not there is told by the step that needs it; so is a link to a disk that is not mounted.
        with contextlib.suppress(OSError):
            facts = path.stat()
            found.append((path.name, facts.st_size, facts.st_mtime_ns))
    return _digest(found)
