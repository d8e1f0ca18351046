"""Write the figures of the finished sample, digit for digit, into config/sample_digits.yaml, for `make verify`.

make sample
python benchmarks/sample_digits.py
"""

from __future__ import annotations

from pathlib import Path

import yaml

from carvana.digits import Digits, cpus_of, digits_of, write_digits
from carvana.errors import UserError, main_guard
from carvana.figures import figures_of
from carvana.provenance import package_versions

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "results/sample"
DIGITS = ROOT / "config/sample_digits.yaml"


def main() -> None:
    figures, cpus = figures_of(SAMPLE), cpus_of(SAMPLE)
    if len(cpus) != 1:
        raise UserError(f"{SAMPLE} was computed on several kinds of CPU: {', '.join(sorted(cpus))}")
    trainings = [yaml.safe_load(path.read_text())["run"] for path in SAMPLE.glob("models/*/fold*/recipe.yaml")]
    (precision,) = {training["precision"] for training in trainings}
    configuration = yaml.safe_load((ROOT / "config/sample.yaml").read_text()) | {"precision": precision}
    write_digits(Digits(cpus.pop(), package_versions(), configuration, digits_of(figures)), DIGITS)


if __name__ == "__main__":
    main_guard(main)
