"""What a run is verified against: published folds, and earlier runs of the same configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from carvana.config import laid_over
from carvana.figures.digits import read_digits
from carvana.planning.options import option
from carvana.planning.plan import Plan

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
    """The expectations of a run."""

    plan: Plan

    def bands(self) -> str:
        """The bands of repeated runs of this configuration; empty where there are none."""
        return BANDS if self._is_like(self._repeated(), DECIDING) else ""

    def digits(self) -> str:
        """The figures of a run of this configuration, precision and seed; empty where there are none."""
        path = self.plan.root / DIGITS
        run = self._whole(read_digits(path).configuration) if path.is_file() else {}
        return DIGITS if self._is_like(run, (*DECIDING, "precision", "seed", "threads")) else ""

    def _is_like(self, other: Mapping[str, Any], keys: Iterable[str]) -> bool:
        return bool(other) and all(other[key] == self.plan.config[key] for key in keys)

    def _repeated(self) -> dict[str, Any]:
        """The whole configuration that bands were measured with; empty where there are none."""
        path = self.plan.root / BANDS
        if not path.is_file():
            return {}
        return self._whole(yaml.safe_load(path.read_text())["conditions"]["configuration"])

    def _whole(self, overlay: Mapping[str, Any]) -> dict[str, Any]:
        base = yaml.safe_load((self.plan.root / "config" / "config.yaml").read_text())
        whole: dict[str, Any] = laid_over(base, overlay)
        return whole

    def arguments(self) -> str:
        """The arguments of verification.py that say what is expected of folds, weights and figures."""
        plan, arguments = self.plan, []
        for scheme, table in zip(plan.folds.used, plan.folds.tables(), strict=True):
            digest = plan.folds.authors_digest(scheme)
            arguments.append(option("scheme", scheme, table, plan.folds.number(scheme), *([digest] if digest else [])))
        for model in plan.models:
            arguments.append(option("model", model, *plan.networks.weights(model)))
            notes = plan.origins.notes([model], plan.folds.number_by_model) + plan.second_round.notes([model])
            arguments += [option("note", note) for note in notes]
        if bands := self.bands():
            arguments.append(option("bands", bands))
            precision = self._repeated()["precision"]
            if precision != plan.config["precision"]:
                arguments.append(option("bands-differ", f" (they: {precision}, this run: {plan.config['precision']})"))
        if digits := self.digits():
            arguments.append(option("digits", digits))
        return " ".join(arguments)
