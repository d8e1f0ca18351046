"""What a run's report is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from carvana.errors import UserError
from carvana.files import sha256_of
from carvana.planning.networks import Networks
from carvana.planning.options import option
from carvana.planning.run import Run
from carvana.planning.second_round import SecondRound
from carvana.recipe_files import EDITIONS, Edition


@dataclass(frozen=True)
class Reporting:
    """The report of a run.

    Attributes:
        run: the run.
        networks: its networks.
        second_round: its plan of pseudo-labels.
    """

    run: Run
    networks: Networks
    second_round: SecondRound

    def looks_digest(self) -> str:
        """Digest of the style sheet and the script of its page."""
        return "".join(sha256_of(self.run.root / f"src/carvana/report/page.{kind}")[:8] for kind in ("css", "js"))

    def masks(self) -> str:
        """The masks that it is about. Raises UserError where members are missing, so that there is no ensemble."""
        if not self.run.ensembles:
            raise UserError("the report is about the ensemble: members must be [ternaus, albu, asanakoy]")
        return str(self.run.results / "masks/ensemble/train.csv")

    def model_arguments(self) -> str:
        """The --model arguments of report.py."""
        return " ".join(
            option("model", model, ",".join(map(str, self.networks.folds(model)))) for model in self.run.models
        )

    def pseudo_labels(self) -> list[str]:
        """What it reads of pseudo-labels; nothing where there are none."""
        teachers = self._teachers()
        return [self.second_round.precondition, *(str(path / "labels.csv") for path in teachers)] if teachers else []

    def pseudo_labels_arguments(self) -> str:
        """The arguments of report.py on pseudo-labels; none where there are none."""
        rounds = self.second_round
        if not (teachers := self._teachers()):
            return ""
        return " ".join(
            [
                option("second-round", rounds.second, rounds.first),
                option("precondition", rounds.precondition),
                *(option("teacher", path) for path in teachers),
            ]
        )

    def _teachers(self) -> list[Path]:
        """The folders of all that teach the second round; none where there is none."""
        first = self.second_round.first
        return self.second_round.teachers(self.networks.folds(first)) if first else []

    @property
    def _other_scores(self) -> tuple[Edition, Path]:
        """The other edition, and where a run of it with this one's name has its scores."""
        other = next(edition for edition in EDITIONS if edition != self.run.edition)
        return other, replace(self.run, config={**self.run.config, "edition": other}).results / "scores.json"

    def other_edition_argument(self) -> str:
        """The argument of report.py that names the other edition's scores, where it was run too; it is never run for
        that.
        """
        other, scores = self._other_scores
        return option("other", other, scores) if scores.is_file() else ""

    def other_edition_digest(self) -> str:
        """Digest that changes when the other edition's scores do; empty without them."""
        scores = self._other_scores[1]
        return sha256_of(scores)[:16] if scores.is_file() else ""
