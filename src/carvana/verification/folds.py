"""Are the cars cut into folds as the authors did?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from carvana.data.manifest import Manifest
from carvana.folds import assign_folds, folds_digest, mask_areas, read_folds
from carvana.verification.check import Check, equal

PUBLISHED: Final = "digest of the authors' folds (config/published.yaml)"
RULE: Final = "the authors' rule applied anew to this run's masks; other cars or another number of folds than theirs"
_DIGITS: Final = 16


@dataclass(frozen=True)
class Scheme:
    """One way of cutting, as the run did it.

    Attributes:
        name: of `folds.SCHEMES`.
        table: the run's folds, CSV.
        number: of folds.
        digest: the published SHA-256, empty where none is of these cars.
    """

    name: str
    table: Path
    number: int
    digest: str


def check_scheme(scheme: Scheme, manifest: Manifest) -> Check:
    """The run's folds against the published digest or, where there is none, against the rule applied anew.

    Raises:
        UserError: the table is missing or damaged, or there are fewer cars than folds.
    """
    measured = folds_digest(read_folds(scheme.table))
    anew = folds_digest(assign_folds(scheme.name, mask_areas(manifest), scheme.number))
    expected, source = (scheme.digest, PUBLISHED) if scheme.digest else (anew, RULE)
    row = equal("folds", f"{scheme.name}: SHA-256", expected, measured, source)
    return replace(row, expected=expected[:_DIGITS], measured=measured[:_DIGITS])
