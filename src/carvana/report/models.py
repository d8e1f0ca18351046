"""The section of the report on models and folds: the networks one by one, and their training curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from carvana.report import page, plots
from carvana.report.groups import summary
from carvana.report.page import Cell, Section
from carvana.report.record import Network, RunRecord
from carvana.training.stopwatch import images_per_second

_NETWORK_COLUMNS: Final = (
    "model", "fold", "weights", "Dice", "spread", "lowest", "images", "epochs", "selected epoch", "minutes", "images/s",
    "memory, GiB", "GPU memory, GiB",
)  # fmt: skip
_DIGITS: Final = {"minutes": 1, "images/s": 1, "memory, GiB": 2, "GPU memory, GiB": 2}


def models(run: RunRecord) -> Section:
    """Per model and fold: Dice with spread, selected epoch, time, memory; and the training curves."""
    curves = {
        f"{model} ({len(run.of_model(model))} folds)": plots.training_curves(run.of_model(model))
        for model in run.models
        if all(network.trained for network in run.of_model(model))
    }
    means = {model: summary(value for network in run.of_model(model) for value in network.dice) for model in run.models}
    chart = plots.bars({n: s.mean for n, s in means.items()}, {n: s.deviation for n, s in means.items()})
    body = page.text(
        "Dice of a fold's images, each scored by the network that was not trained on them; spread is their standard"
        " deviation."
    )
    body += page.table(_NETWORK_COLUMNS, map(_network_row, run.networks), digits=_DIGITS)
    body += page.plots({"Dice by model, all folds, with the spread of images": chart})
    if curves:
        body += page.heading("Training curves") + page.text("A dot marks the epoch whose weights were kept.", "faint")
        body += page.plots(curves)
    return Section("models", "Models and folds", body)


def _network_row(network: Network) -> Sequence[Cell]:
    of_images = summary(network.dice)
    dice = (of_images.mean, of_images.deviation, of_images.lowest, of_images.count)
    if not network.trained:
        return (network.model, network.fold, "released", *dice, *[None] * 6)
    return (
        network.model,
        network.fold,
        "trained",
        *dice,
        len(network.history),
        network.selected_epoch,
        network.timings["seconds"] / 60,
        images_per_second(network.timings["epochs"]),
        network.timings["peak_memory_bytes"] / 2**30,
        _gibibytes(network.timings["peak_device_memory_bytes"]),
    )


def _gibibytes(value: int | None) -> float | None:
    return None if value is None else value / 2**30
