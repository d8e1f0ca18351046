"""Plots of a page, as SVG in addresses of their own."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from carvana.histories import dice_of
from carvana.report.record import Network

_WIDTH: Final = 4.0
_STYLE: Final[Any] = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "svg.hashsalt": "carvana",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "legend.frameon": False,
}


def training_curves(networks: Sequence[Network]) -> str:
    """Loss, Dice and learning rate of a model's networks by epoch, a colour for each fold; a dot marks the kept one."""
    with pyplot.rc_context(_STYLE):
        figure, (loss, dice, rate) = pyplot.subplots(3, 1, figsize=(_WIDTH, 4.6), sharex=True)
        for network in networks:
            colour = f"C{network.fold}"
            epochs = [int(row["epoch"]) for row in network.history]
            values = dice_of(network.history)
            _curve(loss, epochs, [float(row["train_loss"]) for row in network.history], colour, "--")
            if "valid_loss" in network.history[0]:
                _curve(loss, epochs, [float(row["valid_loss"]) for row in network.history], colour, "-")
            _curve(dice, epochs, values, colour, "-", f"fold {network.fold}")
            selected = network.selected_epoch
            dice.plot(selected, values[epochs.index(selected)], "o", color=colour, markersize=4)
            _curve(rate, epochs, [float(row["learning_rate"]) for row in network.history], colour, "-")
        loss.set_ylabel("loss\n(- - training)")
        dice.set_ylabel("validation Dice")
        rate.set(ylabel="learning rate", xlabel="epoch", yscale="log")
        rate.xaxis.get_major_locator().set_params(integer=True)
        dice.legend(fontsize=7, ncols=2)
        figure.align_ylabels()
        return _address(figure)


def bars(values: Mapping[str, float], spread: Mapping[str, float] | None = None) -> str:
    """A bar of Dice for every name, from top to bottom, with its standard deviation where `spread` is given."""
    with pyplot.rc_context(_STYLE):
        figure, axis = pyplot.subplots(figsize=(_WIDTH, 0.6 + 0.2 * len(values)))
        names = list(values)
        errors = [spread[name] for name in names] if spread else None
        axis.barh(names, list(values.values()), xerr=errors, color="#4878a8", height=0.7, error_kw={"linewidth": 0.8})
        axis.invert_yaxis()
        lowest = min(value - (spread[name] if spread else 0) for name, value in values.items())
        axis.set_xlim(_lower_end(lowest), min(1.0, axis.get_xlim()[1]))
        axis.set_xlabel("Dice")
        axis.grid(axis="y", visible=False)
        return _address(figure)


def _lower_end(lowest: float) -> float:
    """Where the axis begins: where all values are high, their differences are in the last digits."""
    return max(0.0, lowest - 0.1 * (1 - lowest)) if lowest > 0.5 else 0.0


def _curve(axis: Axes, epochs: list[int], values: list[float], colour: str, line: str, label: str = "") -> None:
    axis.plot(epochs, values, line, color=colour, linewidth=1.2, label=label or None)


def _address(figure: Figure) -> str:
    stream = io.BytesIO()
    figure.tight_layout()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    return "data:image/svg+xml;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
