"""What a finished run left behind, read for its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carvana.grading.score_table import read_scores
from carvana.grading.scores import Score
from carvana.histories import Row, read_history, selected_epoch
from carvana.leaderboard.record import Scored, read_scored
from carvana.out_of_fold import read_fold_dice
from carvana.reading import FINISH_THE_RUN, read_json, read_rows, read_yaml, readable
from carvana.released.index import IMPORTED
from carvana.report.analysis import ImageAnalysis, read_analysis
from carvana.verification.document import Verification, read_verification


@dataclass(frozen=True)
class Network:
    """One trained network.

    Attributes:
        model: its name.
        fold: that it was validated on.
        history: rows of history.csv, one per epoch; none of an imported network.
        timings: of its training, see `training.metadata.write_timings`; empty of an imported network.
        conditions: section `run` of its recipe.yaml.
        dice: out-of-fold Dice of each image of its fold, 0..1.
    """

    model: str
    fold: int
    history: tuple[Row, ...]
    timings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    dice: tuple[float, ...]

    @property
    def trained(self) -> bool:
        """Whether this run trained it; otherwise it was imported."""
        return bool(self.history)

    @property
    def selected_epoch(self) -> int:
        """The run's epoch, from 1, whose weights were kept."""
        return selected_epoch(self.history)


@dataclass(frozen=True)
class RunRecord:
    """A finished run.

    Attributes:
        edition: of the recipes.
        networks: by model, in order, and fold.
        scores: the run's table of scores.
        validation: timings of each model's job on the training images.
        prediction: timings of all jobs on the test images.
        images: what was analysed of each training image.
        verification: the verdict.
        scored: what Kaggle said; empty where it was not asked.
        published: the facts of config/published.yaml.
        metadata: make and year by car; empty where metadata.csv is not there.
    """

    edition: str
    networks: tuple[Network, ...]
    scores: tuple[Score, ...]
    validation: tuple[Mapping[str, Any], ...]
    prediction: tuple[Mapping[str, Any], ...]
    images: tuple[ImageAnalysis, ...]
    verification: Verification
    scored: tuple[Scored, ...]
    published: Mapping[str, Any]
    metadata: Mapping[str, tuple[str, str]]

    @property
    def models(self) -> tuple[str, ...]:
        """The models, in order."""
        return tuple(dict.fromkeys(network.model for network in self.networks))

    def of_model(self, model: str) -> tuple[Network, ...]:
        """The model's networks, by fold."""
        return tuple(network for network in self.networks if network.model == model)


def read_run(
    results: Path,
    edition: str,
    folds_of: Mapping[str, Sequence[int]],
    test_parts: Sequence[str],
    published: Path,
    metadata: Path | None,
    leaderboard: Path | None,
) -> RunRecord:
    """Read what a run left behind.

    Args:
        results: folder of the run.
        edition: of its recipes.
        folds_of: folds of the networks by model, in the order of the report.
        test_parts: names of the shards of the test images.
        published: config/published.yaml.
        metadata: the competition's table of cars, if it is there.
        leaderboard: what Kaggle said, if it was asked.

    Raises:
        UserError: something is missing or damaged.
    """
    with readable(published, "restore it, or name config/published.yaml"):
        facts = read_yaml(published)
    dice = {model: read_fold_dice(results / f"oof/{model}/dice.csv") for model in folds_of}
    return RunRecord(
        edition=edition,
        networks=tuple(
            _network(results, model, fold, dice[model].get(fold, ()))
            for model, folds in folds_of.items()
            for fold in folds
        ),
        scores=tuple(read_scores(results / "scores.json")),
        validation=tuple(_timings(results / f"oof/{model}/timings.json") for model in folds_of),
        prediction=predictions(results, tuple(folds_of), test_parts),
        images=tuple(read_analysis(results / "analysis.csv")),
        verification=read_verification(results / "verification.json"),
        scored=tuple(read_scored(leaderboard)) if leaderboard else (),
        published=facts,
        metadata=_metadata(metadata) if metadata else {},
    )


def predictions(results: Path, models: Sequence[str], test_parts: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    """Timings of the models' jobs on these shards; files of other shards are of an earlier configuration."""
    paths = (results / f"predictions/{model}/{part}.json" for model in models for part in test_parts)
    # A second round's first model predicts no test image unless its own masks are asked for.
    return tuple(_timings(path) for path in paths if path.is_file())


def _network(results: Path, model: str, fold: int, dice: Sequence[float]) -> Network:
    folder = results / f"models/{model}/fold{fold}"
    recipe = folder / "recipe.yaml"
    with readable(recipe, FINISH_THE_RUN):
        conditions = read_yaml(recipe)["run"]
        imported = conditions.get("weights") == IMPORTED
    if imported:
        return Network(model, fold, (), {}, conditions, tuple(dice))
    history = tuple(read_history(folder / "history.csv"))
    return Network(model, fold, history, _timings(folder / "timings.json"), conditions, tuple(dice))


def _timings(path: Path) -> Mapping[str, Any]:
    with readable(path, FINISH_THE_RUN):
        return dict(read_json(path))


def _metadata(table: Path) -> dict[str, tuple[str, str]]:
    """Make and year; Kaggle's table writes years as `2012.0`, and leaves some out."""
    with readable(table, "download it from Kaggle again"):
        return {
            row["id"]: (row["make"] or "not given", row["year"].removesuffix(".0") or "not given")
            for row in read_rows(table)
        }
