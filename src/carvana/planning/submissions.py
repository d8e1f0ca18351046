"""The submissions of a run, which of them are sent to Kaggle, and what Kaggle said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from carvana.catalogue import MEMBERS, SUBMISSIONS
from carvana.errors import UserError
from carvana.files import sha256_of
from carvana.geometry import FULL
from carvana.planning.competition import Competition
from carvana.planning.options import option
from carvana.planning.run import Run


@dataclass(frozen=True)
class Submissions:
    """The submissions of a run.

    Attributes:
        run: the run.
        competition: that they are sent to.
    """

    run: Run
    competition: Competition

    def path(self, name: str) -> str:
        """The file of a submission."""
        return str(self.run.results / f"submissions/{name}.csv.gz")

    def of_member(self, member: str) -> list[str]:
        """A member's submissions, one for each of his recipes."""
        return [self.path(name) for name, recipe in SUBMISSIONS.items() if recipe in MEMBERS[member]]

    def wanted(self) -> list[str]:
        """The submissions of all configured members and, if they are all there, the ensemble's."""
        wanted = [path for member in self.run.config["members"] for path in self.of_member(member)]
        return wanted + [self.path("ensemble")] * self.run.ensembles

    @property
    def ledger(self) -> Path:
        """Where all runs write down what they submitted."""
        return self.run.shared("submitted")

    def to_send(self) -> list[str]:
        """The submissions to send to Kaggle. Raises UserError where none may be, or can be, sent."""
        run, competition = self.run, self.competition.name
        if not run.config["leaderboard"]:
            raise UserError(
                "nothing is sent to Kaggle unless you ask for it: name the submissions to send in the configuration, or"
                """ with --config 'leaderboard=["ensemble"]'"""
            )
        if run.config["geometry"] != FULL.name and competition == run.published["competition"]:
            raise UserError(
                f"geometry is {run.config['geometry']}: its masks are not of the size that {competition} scores,"
                " so nothing is sent there; set geometry to full, or competition to one with such images"
            )
        data = run.config["data"]
        counted = data["source"] != "synthetic" and data["expect_published"]
        if not counted and competition == run.published["competition"]:
            raise UserError(
                f"the images are not known to be all of {competition}'s, so nothing is sent there; set"
                " data.expect_published to true, and data.source to kaggle or folder"
            )
        return [self.path(name) for name in run.config["leaderboard"]]

    def arguments(self) -> str:
        """The --submission arguments of submit.py."""
        names = self.run.config["leaderboard"]
        return " ".join(option("submission", name, self.path(name)) for name in names)

    @property
    def _answer(self) -> Path:
        return self.run.results / "leaderboard.json"

    def answer_argument(self) -> str:
        """The argument of verification.py and report.py that names what Kaggle said, where it was asked."""
        return option("leaderboard", self._answer) if self._answer.is_file() else ""

    def answer_digest(self) -> str:
        """Digest that changes when Kaggle's answer does; empty without one."""
        return sha256_of(self._answer)[:16] if self._answer.is_file() else ""
