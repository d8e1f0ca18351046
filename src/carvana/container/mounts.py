"""The folders that a run uses, to be seen in the container under the names that they have outside."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from docker.types import Mount

from carvana.data.folder import data_folder
from carvana.errors import UserError
from carvana.released.index import IMPORTED

CACHE_VARIABLE: Final = "SNAKEMAKE_OUTPUT_CACHE"


@dataclass(frozen=True)
class Folder:
    """A folder or file of this machine.

    Attributes:
        path: absolute; the same inside.
        what: it is, for people.
        written: whether it may be written to; such a folder is made if need be.
    """

    path: Path
    what: str
    written: bool


def folders(root: Path, config: Mapping[str, Any], environment: Mapping[str, str]) -> list[Folder]:
    """What a configuration and the environment name; relative paths are the checkout's.

    Args:
        root: of the checkout, absolute.
        config: of the run.
        environment: the caller's.
    """
    data, encoders = config["data"], config["encoder_weights"]
    found = [Folder(root, "the checkout", True), Folder(root / config["results"], "results", True)]
    if config["store"]:
        found.append(Folder(root / config["store"], "store", True))
    if cache := environment.get(CACHE_VARIABLE):
        found.append(Folder(root / cache, CACHE_VARIABLE, True))
    if data["source"] != "synthetic":
        # What is downloaded must be written; files of the user's own are only read.
        found.append(Folder(root / data_folder(config), "data.folder", data["source"] == "kaggle"))
    if encoders["source"] == "folder":
        found.append(Folder(root / encoders["folder"], "encoder_weights.folder", False))
    if IMPORTED in _origins(config):
        # The published checkpoint is fetched into it.
        found.append(Folder(root / config["released"]["folder"], "released.folder", True))
    if data["exclude"]:
        found.append(Folder(root / data["exclude"], "data.exclude", False))
    return found


def _origins(config: Mapping[str, Any]) -> Collection[str]:
    weights = config["weights"]
    return [weights] if isinstance(weights, str) else weights.values()


def wished(text: str) -> Folder:
    """A folder of the command line, PATH or PATH:ro."""
    path = text.removesuffix(":ro")
    return Folder(Path(path).absolute(), f"--mount {text}", path == text)


def mounts(root: Path, wanted: Iterable[Folder]) -> list[Mount]:
    """As the engine takes them, each once; what lies in the checkout comes with it.

    A link that leads out of the checkout stays one inside, so what it leads to is mounted.

    Raises:
        UserError: what is only read is not there, or what is written cannot be made.
    """
    made: dict[Path, Mount] = {}
    for folder in wanted:
        if folder.written and folder.path.is_relative_to(root):
            # In the checkout they are made by what writes them.
            real = folder.path.resolve()
            target = real
        else:
            real, target = folder.path.resolve(), folder.path
            _see_to(folder)
        if folder.path != root and folder.written and real.is_relative_to(root):
            continue
        made.setdefault(target, Mount(str(target), str(real), type="bind", read_only=not folder.written))
    return list(made.values())


def _see_to(folder: Folder) -> None:
    try:
        if folder.written:
            folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder.what}: {folder.path} cannot be made ({error.strerror})") from None
    if not folder.path.exists():
        raise UserError(f"{folder.what}: {folder.path} does not exist, so it cannot be mounted; make it or correct it")
