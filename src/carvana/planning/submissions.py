"""The submissions of a run, and which of them are sent to Kaggle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from carvana.catalogue import MEMBERS, SUBMISSIONS
from carvana.errors import UserError
from carvana.geometry import FULL
from carvana.planning.competition import Competition
from carvana.planning.options import option


@dataclass(frozen=True)
class Submissions:
    """The submissions of a run to a competition."""

    competition: Competition

    def path(self, name: str) -> str:
        """The file of a submission."""
        return str(self.competition.run.results / f"submissions/{name}.csv.gz")

    def of_member(self, member: str) -> list[str]:
        """A member's submissions, one for each of his recipes."""
        return [self.path(name) for name, recipe in SUBMISSIONS.items() if recipe in MEMBERS[member]]

    def wanted(self) -> list[str]:
        """The submissions of all configured members and, if they are all there, the ensemble's."""
        run = self.competition.run
        wanted = [path for member in run.config["members"] for path in self.of_member(member)]
        return wanted + [self.path("ensemble")] * run.ensembles

    @property
    def ledger(self) -> Path:
        """Where all runs write down what they submitted."""
        return Path(self.competition.run.config["results"], "submitted")

    def to_send(self) -> list[str]:
        """The submissions to send to Kaggle. Raises UserError where none may be, or can be, sent."""
        run, competition = self.competition.run, self.competition.name
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
        return [self.path(name) for name in run.config["leaderboard"]]

    def arguments(self) -> str:
        """The --submission arguments of submit.py."""
        names = self.competition.run.config["leaderboard"]
        return " ".join(option("submission", name, self.path(name)) for name in names)
