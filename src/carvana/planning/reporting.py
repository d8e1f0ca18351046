"""What a run's report and its packed weights are made of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from carvana.errors import UserError
from carvana.files import sha256_of
from carvana.planning.options import option
from carvana.planning.plan import Plan
from carvana.recipe_files import EDITIONS, Edition
from carvana.released.index import file_of


@dataclass(frozen=True)
class Reporting:
    """The report of a run, and the folder of its weights."""

    plan: Plan

    def needs_all_members(self, wildcards: object) -> list[str]:
        """No file. Raises UserError where members are missing, so that there is no ensemble to report on."""
        if not self.plan.ensembles:
            raise UserError("the report is about the ensemble: members must be [ternaus, albu, asanakoy]")
        return []

    def model_arguments(self) -> str:
        """The --model arguments of report.py."""
        return " ".join(
            option("model", model, ",".join(map(str, self.plan.networks.folds(model)))) for model in self.plan.models
        )

    def pseudo_labels(self) -> list[str]:
        """What the report reads of pseudo-labels; nothing where there are none."""
        return self.plan.second_round.report_inputs(self._first_folds)

    def rounds_arguments(self) -> str:
        """The arguments of report.py on pseudo-labels; none where there are none."""
        return self.plan.second_round.report_arguments(self._first_folds)

    @property
    def _first_folds(self) -> tuple[int, ...]:
        first = self.plan.second_round.first
        return self.plan.networks.folds(first) if first else ()

    @property
    def _other_scores(self) -> tuple[Edition, Path]:
        """The other edition, and where a run of it with this one's name has its scores."""
        other = next(edition for edition in EDITIONS if edition != self.plan.edition)
        return other, replace(self.plan, config={**self.plan.config, "edition": other}).results / "scores.json"

    def other_edition(self) -> str:
        """The argument of report.py that names the other edition's scores, where it was run too; it is never run for
        that.
        """
        other, scores = self._other_scores
        return option("other", other, scores) if scores.is_file() else ""

    def other_digest(self) -> str:
        """Digest that changes when the other edition's scores do; empty without them."""
        scores = self._other_scores[1]
        return sha256_of(scores)[:16] if scores.is_file() else ""

    def leaderboard_result(self) -> str:
        """The argument of verification.py and report.py that names what Kaggle said, where it was asked."""
        path = self.plan.results / "leaderboard.json"
        return option("leaderboard", path) if path.is_file() else ""

    def leaderboard_digest(self) -> str:
        """Digest that changes when Kaggle's answer does; empty without one."""
        path = self.plan.results / "leaderboard.json"
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""

    def packed_files(self) -> list[str]:
        """The files of weights in the folder that `weights` packs."""
        folder = self.plan.results / "weights"
        return [
            str(folder / file_of(model, fold)) for model in self.plan.models for fold in self.plan.networks.folds(model)
        ]

    def folds_arguments(self) -> str:
        """The --folds arguments of pack_weights.py."""
        pairs = zip(self.plan.folds.used, self.plan.folds.tables(), strict=True)
        return " ".join(option("folds", scheme, table) for scheme, table in pairs)
