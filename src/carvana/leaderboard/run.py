"""From submission files to Kaggle's scores."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from carvana.files import sha256_of
from carvana.kaggle.client import Kaggle
from carvana.kaggle.credentials import find_credentials
from carvana.kaggle.retry import Patience
from carvana.leaderboard.description import describe
from carvana.leaderboard.ledger import Ledger
from carvana.leaderboard.record import Scored
from carvana.leaderboard.submit import Submissions, Waits
from carvana.revision import IMAGE_VARIABLE, revision
from carvana.submission.check import validate_submission


def score_at_kaggle(
    files: Mapping[str, Path],
    names: Sequence[str],
    size_HW: tuple[int, int],
    competition: str,
    edition: str,
    ledger: Ledger,
) -> list[Scored]:
    """Check the files, send each one unless it was sent before, and wait for the scores.

    Args:
        files: submissions by name.
        names: every image of the sample submission, in its order.
        size_HW: of the masks, in pixels.
        competition: its name in Kaggle's addresses.
        edition: of the recipes, for the description.
        ledger: of what was sent from here.

    Raises:
        UserError: no credentials, a wrong file (then none is sent), or Kaggle could not take or score one.
    """
    credentials = find_credentials(os.environ, Path.home())
    if credentials.warning:
        print(f"warning: {credentials.warning}", file=sys.stderr)
    for file in files.values():
        print(f"{file}: {validate_submission(file, names, size_HW).images:,} images, valid", flush=True)
    commit, image = revision(), os.environ.get(IMAGE_VARIABLE, "")
    patience = Patience()
    scored = []
    with Kaggle(competition, credentials, patience.stall) as kaggle:
        submissions = Submissions(kaggle, competition, patience, Waits())
        for name, file in files.items():
            sha256 = sha256_of(file)
            reference = submissions.send_once(ledger, file, sha256, describe(commit, edition, image, sha256))
            print(f"{name} is submission {reference} to {competition}", flush=True)
            found = submissions.wait_for_score(reference)
            print(f"{name}: public {found.public_score}, private {found.private_score}", flush=True)
            scored.append(
                Scored(
                    name=name,
                    competition=competition,
                    reference=reference,
                    public=float(found.public_score),
                    private=float(found.private_score),
                    time=found.date,
                    description=found.description,
                    file=file.name,
                    sha256=sha256,
                )
            )
    return scored
