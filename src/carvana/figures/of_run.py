"""The figures of a finished run that bands are made of."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from carvana.catalogue import SUBMISSIONS, models_of, recipe_of
from carvana.figures.bands import Band, Spread, band, pooled
from carvana.out_of_fold import read_fold_dice
from carvana.reading import FINISH_THE_RUN, read_rows, readable


def figures_of(results: Path) -> dict[str, float]:
    """The figures of the run under a results folder.

    Returns:
        `out_of_fold/<level>/<name>`: mean Dice of every row of the score table but the baselines, which nothing random
        changes. `out_of_fold/fold/<model>/<k>`: of a fold's images, by the map's pixels from 128 on.
        `training_loss/<model>`: of the last epoch, the mean over the model's networks; where few steps leave a
        network's Dice to chance (its probabilities are close to one half), its loss still tells whether it learns.

    Raises:
        UserError: the run is not finished, or a table is damaged.
    """
    table = results / "scores.csv"
    with readable(table, FINISH_THE_RUN):
        rows = [row for row in read_rows(table) if row["level"] != "baseline"]
        scores = {f"out_of_fold/{row['level']}/{row['name']}": float(row["out_of_fold"]) for row in rows}
        # The folder may hold networks of an earlier configuration too.
        models = [row["name"] for row in rows if row["level"] == "model"]
    of_fold: dict[str, list[float]] = {}
    losses: dict[str, list[float]] = {}
    for model in models:
        for fold, dice in sorted(read_fold_dice(results / f"oof/{model}/dice.csv").items()):
            of_fold[f"out_of_fold/fold/{model}/{fold}"] = dice
            history = results / f"models/{model}/fold{fold}/history.csv"
            # An imported network has none.
            if history.is_file():
                with readable(history, FINISH_THE_RUN):
                    loss = float(read_rows(history)[-1]["train_loss"])
                losses.setdefault(f"training_loss/{model}", []).append(loss)
    return scores | {figure: statistics.fmean(values) for figure, values in (of_fold | losses).items()}


def bands_of(runs: Sequence[Mapping[str, float]]) -> dict[str, Band]:
    """Bands of the figures of repeated runs.

    Networks of one recipe scatter alike, whichever model's and fold's they are, so they share their spread, and so do
    the losses. A model's Dice is a mean over its folds, whose trainings have no draw in common: its spread is the
    folds', divided by the root of their number. What several models are merged to has a spread of its own.
    """
    columns = {figure: [run[figure] for run in runs] for figure in runs[0]}
    kinds: dict[str, list[list[float]]] = {}
    for figure, values in columns.items():
        kinds.setdefault(_kind(figure), []).append(values)
    spreads = {kind: pooled(rows) for kind, rows in kinds.items()}
    # A recipe and a member of one model have its Dice.
    different = len({tuple(values) for values in columns.values()})

    def spread(figure: str) -> Spread:
        model = _model(figure)
        if model is None:
            return spreads[_kind(figure)]
        folds = sum(other.startswith(f"out_of_fold/fold/{model}/") for other in columns)
        of_folds = spreads[f"out_of_fold/fold/{recipe_of(model)}"]
        return Spread(of_folds.deviation / math.sqrt(folds), of_folds.freedom)

    # A Dice ends at 1, a loss does not.
    return {
        figure: band(values, spread(figure), different, 1.0 if figure.startswith("out_of_fold/") else math.inf)
        for figure, values in columns.items()
    }


def _kind(figure: str) -> str:
    """What a figure's spread is common to."""
    match figure.split("/"):
        case ["out_of_fold", "fold", model, _] | ["training_loss", model]:
            return f"{figure.partition(f'/{model}')[0]}/{recipe_of(model)}"
    return figure


def _model(figure: str) -> str | None:
    """The one model whose Dice a figure is, if it is."""
    match figure.split("/"):
        case ["out_of_fold", "model", model]:
            return model
        case ["out_of_fold", "recipe" | "member" as level, name]:
            models = models_of(SUBMISSIONS[name] if level == "member" else name)
            return models[0] if len(models) == 1 else None
    return None
