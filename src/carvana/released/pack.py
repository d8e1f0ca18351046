"""A finished run's weights in one folder, ready to publish: the files, what they are, and a model card."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from carvana.errors import UserError
from carvana.files import sha256_of, whole_file
from carvana.folds import folds_digest, read_folds
from carvana.reading import read_json, read_yaml
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
    try:
        for network in networks:
            record = read_yaml(network / "recipe.yaml")
            conditions = record["run"]
            model, fold = record["model"], conditions["fold"]
            name, source = file_of(model, fold), network / "weights.safetensors"
            with whole_file(folder / name) as partial:
                shutil.copyfile(source, partial)
            scheme, origin = record["folds"]["scheme"]["value"], conditions.get("weights", "trained")
            size = (folder / name).stat().st_size
            files.append(NetworkFile(name, model, fold, scheme, origin, size, sha256_of(folder / name)))
        rows = tuple(read_json(scores))
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}; finish the run first") from None
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise UserError(f"a file of the run is damaged ({error!r}); run the step that made it again") from error
    told = dict(run) | {name: conditions[name] for name in ("geometry", "precision")}
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
