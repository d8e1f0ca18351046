"""What training in a precision changes in a network's Dice: pairs of the sample's networks that differ in nothing else.

    python -m benchmarks.training_precision --precision bf16 --seeds 1 2 3 4 5

A pair has the same model, fold, seed, and so first weights, batches and augmentations. Its difference is held against
the spread between seeds. Networks that are trained already are taken from the store. The result is written to
benchmarks/results, into a file named after its conditions.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import torch

from benchmarks.results import ROOT, mean_with_interval, write_result
from benchmarks.sample import CONFIG, run_sample
from carvana.computing.precision import PRECISIONS
from carvana.computing.runtime import device_name
from carvana.errors import UserError, main_guard
from carvana.histories import Row, dice_of, read_history, selected_epoch
from carvana.provenance import package_versions

MODELS: Final = ("ternausnet", "linknet34_fma_s44", "unet_scratch", "unet_vgg11")


def trained(seed: int, precision: str, cores: int) -> dict[str, float]:
    """Dice of each model's network of fold 0 on its validation images, where its weights are taken from."""
    histories = {model: f"models/{model}/fold0/history.csv" for model in MODELS}
    run = f"training-{precision}-seed{seed}"
    results = run_sample(run, list(histories.values()), seed, precision, cores, torch.cuda.device_count())
    return {model: selected_dice(read_history(results / history)) for model, history in histories.items()}


def selected_dice(history: Sequence[Row]) -> float:
    """Validation Dice of the epoch whose weights were kept."""
    return dice_of(history)[selected_epoch(history) - 1]


@dataclass(frozen=True)
class Pairs:
    """Dice of one model's networks, of the same seeds in the same order.

    Attributes:
        exact: in float32.
        other: in the other precision.
    """

    exact: list[float]
    other: list[float]

    def difference(self) -> tuple[float, float, float]:
        """Mean of other - exact, and the ends of its 95 % interval."""
        return mean_with_interval([other - exact for exact, other in zip(self.exact, self.other, strict=True)])

    def spread(self) -> float:
        """Standard deviation of the exact networks, from seed to seed."""
        return statistics.stdev(self.exact)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--precision", choices=[known for known in PRECISIONS if known != "exact"], required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True, help="at least two")
    parser.add_argument("--cores", type=int, default=2)
    given = parser.parse_args()
    seeds = list(dict.fromkeys(given.seeds))
    if len(seeds) < 2:
        raise UserError("an interval needs two seeds: give another one")
    by_precision = {
        precision: [trained(seed, precision, given.cores) for seed in seeds] for precision in ("exact", given.precision)
    }
    rows = {}
    for model in MODELS:
        exact, other = ([dice[model] for dice in runs] for runs in by_precision.values())
        rows[model] = Pairs(exact, other)
        mean, low, high = rows[model].difference()
        print(f"{model:20} {mean:+.4f} ({low:+.4f} to {high:+.4f}); seeds scatter by {rows[model].spread():.4f}")
    device = device_name("cuda" if torch.cuda.is_available() else "cpu")
    conditions = {
        "device": device,
        "configuration": str(CONFIG.relative_to(ROOT)),
        "precision": given.precision,
        "seeds": seeds,
        "packages": package_versions(),
    }
    document = {"conditions": conditions, "rows": {model: asdict(row) for model, row in rows.items()}}
    write_result(["training precision", device, given.precision], document)


if __name__ == "__main__":
    main_guard(main)
