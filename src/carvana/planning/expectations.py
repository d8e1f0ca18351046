"""What a run is verified against: published folds, and earlier runs of the same configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from carvana.config import laid_over
from carvana.figures.digits import read_digits
from carvana.planning.folds import FoldSchemes
from carvana.planning.networks import Networks
from carvana.planning.notes import Notes
from carvana.planning.options import option
from carvana.planning.run import Run
from carvana.reading import read_yaml

BANDS: Final = "config/sample_bands.yaml"
DIGITS: Final = "config/sample_digits.yaml"

# What decides the figures of a run but for chance and rounding: bands hold where these agree.
DECIDING: Final = (
    "geometry",
    "data",
    "edition",
    "weights",
    "released",
    "members",
    "encoder_weights",
    "folds",
    "epochs",
    "images_per_step",
    "pseudo_labels",
)


@dataclass(frozen=True)
class Expectations:
    """The expectations of a run.

    Attributes:
        run: the run.
        folds: how its training cars are divided.
        networks: its networks.
        notes: what is said of them.
    """

    run: Run
    folds: FoldSchemes
    networks: Networks
    notes: Notes

    def bands(self) -> str:
        """The bands of repeated runs of this configuration; empty where there are none."""
        return BANDS if self._is_like(self._repeated(), DECIDING) else ""

    def digits(self) -> str:
        """The figures of a run of this configuration, precision and seed; empty where there are none."""
        path = self.run.root / DIGITS
        other = self._whole(read_digits(path).configuration) if path.is_file() else {}
        return DIGITS if self._is_like(other, (*DECIDING, "precision", "seed", "threads")) else ""

    def _is_like(self, other: Mapping[str, Any], keys: Iterable[str]) -> bool:
        return bool(other) and all(other[key] == self.run.config[key] for key in keys)

    def _repeated(self) -> dict[str, Any]:
        """The whole configuration that bands were measured with; empty where there are none."""
        path = self.run.root / BANDS
        if not path.is_file():
            return {}
        return self._whole(read_yaml(path)["conditions"]["configuration"])

    def _whole(self, overlay: Mapping[str, Any]) -> dict[str, Any]:
        base = read_yaml(self.run.root / "config" / "config.yaml")
        whole: dict[str, Any] = laid_over(base, overlay)
        return whole

    def arguments(self) -> str:
        """The arguments of verification.py that say what is expected of folds, weights and figures."""
        arguments = []
        for scheme, table in zip(self.folds.used, self.folds.tables(), strict=True):
            digest = self.folds.authors_digest(scheme)
            arguments.append(option("scheme", scheme, table, self.folds.number(scheme), *([digest] if digest else [])))
        for model in self.run.models:
            arguments.append(option("model", model, *self.networks.weights(model)))
            arguments += [option("note", note) for note in self.notes.of_networks([model])]
        if bands := self.bands():
            arguments.append(option("bands", bands))
            theirs, own = self._repeated()["precision"], self.run.config["precision"]
            if theirs != own:
                arguments.append(option("bands-differ", f" (they: {theirs}, this run: {own})"))
        if digits := self.digits():
            arguments.append(option("digits", digits))
        return " ".join(arguments)
