"""Does a pre-trained encoder help? The validation Dice of trainings that began from different weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot

from carvana.histories import dice_of, read_history


def draw_curves(histories: Mapping[tuple[str, str], Path], picture: Path) -> None:
    """Draw one panel per model, with one curve for each kind of beginning.

    Args:
        histories: history.csv by model and beginning ("ImageNet", "random weights").
        picture: PNG to write.
    """
    models = list(dict.fromkeys(model for model, _ in histories))
    figure, axes = pyplot.subplots(1, len(models), figsize=(6 * len(models), 4), squeeze=False, sharey=True)
    for axis, model in zip(axes[0], models, strict=True):
        for (owner, beginning), history in histories.items():
            if owner == model:
                rows = read_history(history)
                epochs, dice = [int(row["epoch"]) for row in rows], dice_of(rows)
                axis.plot(epochs, dice, marker="o", markersize=3, label=f"{beginning} (best {max(dice):.4f})")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set(title=model, xlabel="epoch", ylabel="validation Dice, fold 0")
        axis.legend()
        axis.grid(alpha=0.3)
    figure.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=120)
    pyplot.close(figure)
