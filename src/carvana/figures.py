"""The figures of a finished run that bands are made of."""

from __future__ import annotations

import csv
import statistics
from pathlib import Path

from carvana.errors import UserError


def figures_of(results: Path) -> dict[str, float]:
    """The figures of the run under a results folder.

    Returns:
        `out_of_fold/<level>/<name>`: mean Dice of every row of the score table but the baselines, which nothing random
        changes. `training_loss/<model>`: of the last epoch, the mean over the model's networks; where few steps leave
        a network's Dice to chance (its probabilities are close to one half), its loss still tells whether it learns.

    Raises:
        UserError: the run is not finished, or a table is damaged.
    """
    try:
        scores = {
            f"out_of_fold/{row['level']}/{row['name']}": float(row["out_of_fold"])
            for row in _rows(results / "scores.csv")
            if row["level"] != "baseline"
        }
        losses: dict[str, list[float]] = {}
        for history in sorted(results.glob("models/*/fold*/history.csv")):
            last = _rows(history)[-1]
            losses.setdefault(f"training_loss/{history.parts[-3]}", []).append(float(last["train_loss"]))
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}; finish the run first") from None
    except (KeyError, IndexError, ValueError) as error:
        raise UserError(
            f"the tables under {results} are damaged ({error!r}): run the steps that made them again"
        ) from error
    return scores | {figure: statistics.fmean(values) for figure, values in losses.items()}


def _rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
