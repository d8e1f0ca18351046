"""What a configuration asks for: which files lie where, and what is made of what. The rules only write it down.

Planning is the one part of the library that knows Snakemake's wildcards, params, resources and priorities; the rest is
given paths and values, and does not know who gives them. Every stage has its part here, which is given the run and the
parts that it builds on. Forecasts, and what a cluster is asked for, are made of a whole plan.
"""

from __future__ import annotations

from functools import cached_property

from carvana.planning.competition import Competition
from carvana.planning.encoders import Encoders
from carvana.planning.expectations import Expectations
from carvana.planning.folds import FoldSchemes
from carvana.planning.maps import Maps
from carvana.planning.networks import Networks
from carvana.planning.notes import Notes
from carvana.planning.origins import Origins
from carvana.planning.provenance import Provenance
from carvana.planning.reporting import Reporting
from carvana.planning.run import Run
from carvana.planning.scoring import Scoring
from carvana.planning.second_round import SecondRound
from carvana.planning.submissions import Submissions
from carvana.planning.trainings import Trainings


class Plan(Run):
    """A run, and each stage's part of it."""

    @cached_property
    def provenance(self) -> Provenance:
        """What outputs are made by."""
        return Provenance(self)

    @cached_property
    def competition(self) -> Competition:
        """The files that it begins with."""
        return Competition(self)

    @cached_property
    def folds(self) -> FoldSchemes:
        """How the training cars are divided."""
        return FoldSchemes(self)

    @cached_property
    def origins(self) -> Origins:
        """Where the networks come from."""
        return Origins(self)

    @cached_property
    def encoders(self) -> Encoders:
        """The ImageNet weights that trainings begin from."""
        return Encoders(self, self.origins)

    @cached_property
    def second_round(self) -> SecondRound:
        """The plan of pseudo-labels."""
        return SecondRound(self, self.origins)

    @cached_property
    def trainings(self) -> Trainings:
        """How networks are trained."""
        return Trainings(self, self.second_round)

    @cached_property
    def networks(self) -> Networks:
        """The networks, trained or imported."""
        return Networks(self, self.folds, self.origins)

    @cached_property
    def maps(self) -> Maps:
        """The maps and masks."""
        return Maps(self)

    @cached_property
    def submissions(self) -> Submissions:
        """The submissions."""
        return Submissions(self, self.competition)

    @cached_property
    def notes(self) -> Notes:
        """What a reader must know of the figures."""
        return Notes(self, self.folds, self.origins, self.second_round, self.trainings)

    @cached_property
    def scoring(self) -> Scoring:
        """The score table."""
        return Scoring(self, self.competition, self.networks, self.maps, self.notes)

    @cached_property
    def expectations(self) -> Expectations:
        """What the run is verified against."""
        return Expectations(self, self.folds, self.networks, self.notes)

    @cached_property
    def reporting(self) -> Reporting:
        """The report."""
        return Reporting(self, self.networks, self.second_round)

    def check(self) -> None:
        """Stop where the configuration asks for models, folds, rounds or files that there are not. Raises UserError."""
        self.origins.check(self.folds.number_by_model)
        self.second_round.check()
        self.trainings.check()
