"""What a folder of published weights says of itself: `weights.json`, beside the files. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from carvana.errors import UserError
from carvana.files import sha256_of, write_json
from carvana.reading import read_json, readable

NAME: Final = "weights.json"
# What the configuration and the record of a network call one that was not trained by this workflow.
IMPORTED: Final = "released"


@dataclass(frozen=True)
class NetworkFile:
    """One network's file.

    Attributes:
        file: its place under the folder.
        model: as recipes name it.
        fold: that it was validated on.
        scheme: of the folds.
        origin: `trained` by the run, or `released`: imported by it.
        bytes: size of the file.
        sha256: of the file.
    """

    file: str
    model: str
    fold: int
    scheme: str
    origin: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Index:
    """What `weights.json` says of its folder.

    Attributes:
        run: conditions of the run, by name: its name, edition, geometry, precision, commit.
        folds: SHA-256 of the folds by scheme, see `folds.folds_digest`.
        networks: the files.
        scores: rows of the run's scores.json.
    """

    run: Mapping[str, Any]
    folds: Mapping[str, str]
    networks: tuple[NetworkFile, ...]
    scores: tuple[Mapping[str, Any], ...]

    def check(self, checkpoint: Path, model: str, fold: int) -> None:
        """Stop unless the file is the one that was published. Raises UserError."""
        found = [network for network in self.networks if (network.model, network.fold) == (model, fold)]
        if not found:
            raise UserError(f"{NAME} beside {checkpoint} knows of no {model} fold {fold}; restore the folder")
        digest = sha256_of(checkpoint)
        if digest != found[0].sha256:
            raise UserError(
                f"{checkpoint} is not the file that was published: its SHA-256 is {digest}, {NAME} says"
                f" {found[0].sha256}; get the folder again"
            )


def file_of(model: str, fold: int) -> str:
    """A network's place under the folder."""
    return f"{model}/fold{fold}.safetensors"


def write_index(index: Index, path: Path) -> None:
    """Write the index as JSON."""
    write_json(path, asdict(index))


def read_index(path: Path) -> Index:
    """Read what `write_index` wrote. Raises UserError when it is not there or damaged."""
    with readable(path, "get the folder of weights again"):
        document = read_json(path)
        networks = tuple(NetworkFile(**network) for network in document["networks"])
        return Index(document["run"], document["folds"], networks, tuple(document["scores"]))
