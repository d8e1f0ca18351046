"""A finished run's weights in one folder, ready to publish: the files, what they are, and a model card."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from carvana.errors import UserError
from carvana.files import sha256_of, whole_file
from carvana.folds import folds_digest, read_folds
from carvana.reading import FINISH_THE_RUN, read_json, read_yaml, readable
from carvana.released.card import model_card
from carvana.released.index import NAME, Index, NetworkFile, file_of, write_index


def pack(
    networks: Sequence[Path], scores: Path, folds: Mapping[str, Path], run: Mapping[str, Any], folder: Path
) -> Index:
    """Copy the weights, and write `weights.json` and the model card beside them.

    Args:
        networks: folders of the run's networks, with weights.safetensors and recipe.yaml.
        scores: the run's scores.json.
        folds: tables of folds by scheme.
        run: its name, edition, commit.
        folder: to fill; weights of another run in it are replaced.

    Raises:
        UserError: something is missing or damaged.
    """
    files: list[NetworkFile] = []
    conditions: dict[str, Any] = {}
    for network in networks:
        with readable(network / "recipe.yaml", FINISH_THE_RUN):
            record = read_yaml(network / "recipe.yaml")
            model, fold = record["model"], record["run"]["fold"]
            scheme, origin = record["folds"]["scheme"]["value"], record["run"].get("weights", "trained")
            conditions = {name: record["run"][name] for name in ("geometry", "precision")}
        name = file_of(model, fold)
        try:
            with whole_file(folder / name) as partial:
                shutil.copyfile(network / "weights.safetensors", partial)
        except OSError as error:
            raise UserError(f"{error.filename or folder}: {error.strerror}; {FINISH_THE_RUN}") from None
        size = (folder / name).stat().st_size
        files.append(NetworkFile(name, model, fold, scheme, origin, size, sha256_of(folder / name)))
    with readable(scores, FINISH_THE_RUN):
        rows = tuple(read_json(scores))
    told = dict(run) | conditions
    digests = {scheme: folds_digest(read_folds(table)) for scheme, table in folds.items()}
    index = Index(told, digests, tuple(files), rows)
    _remove_others(folder, {network.file for network in files})
    write_index(index, folder / NAME)
    with whole_file(folder / "README.md") as partial:
        partial.write_text(model_card(index), encoding="utf-8")
    return index


def _remove_others(folder: Path, files: set[str]) -> None:
    for path in folder.glob("*/*.safetensors"):
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()
