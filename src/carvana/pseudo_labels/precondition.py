"""Pseudo-labels help where accuracy is high already, the slides say: is it?"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from carvana.errors import UserError
from carvana.files import write_json
from carvana.reading import read_json, readable


@dataclass(frozen=True)
class Precondition:
    """The first round's accuracy, beside what pseudo-labels need.

    Attributes:
        teacher: whose masks are taken: `network` or `ensemble`.
        dice: mean out-of-fold Dice of the first round.
        needed: from where on pseudo-labels are expected to help.
        accepted: whether the configuration says to go on in any case.
    """

    teacher: str
    dice: float
    needed: float
    accepted: bool

    @property
    def met(self) -> bool:
        """Whether the first round's Dice is high enough."""
        return self.dice >= self.needed

    @property
    def message(self) -> str:
        """The Dice found and needed, and whether pseudo-labels may do harm, in words."""
        told = f"the first round's out-of-fold Dice is {self.dice:.6f}; pseudo-labels are expected to help"
        return f"{told} from {self.needed} on" + ("" if self.met else ", so here they may do harm")

    def check(self) -> None:
        """Stop where the Dice is too low and the configuration does not accept that. Raises UserError."""
        if not self.met and not self.accepted:
            raise UserError(
                f"{self.message}. To go on all the same, set pseudo_labels.accept_below to true; to judge by another"
                " value, set pseudo_labels.precondition"
            )


def write_precondition(found: Precondition, path: Path) -> None:
    """Write the precondition as JSON."""
    write_json(path, asdict(found))


def read_precondition(path: Path) -> Precondition:
    """Read what `write_precondition` wrote. Raises UserError when it is not there or damaged."""
    with readable(path, "delete it and run the step that makes it again"):
        return Precondition(**read_json(path))
