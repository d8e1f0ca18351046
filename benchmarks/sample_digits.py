"""Write the figures of the finished sample, digit for digit, into config/sample_digits.yaml, for `make verify`.

make sample
python -m benchmarks.sample_digits
"""

from __future__ import annotations

from benchmarks.results import ROOT
from benchmarks.sample import SAMPLE, finished_precision, overlay
from carvana.errors import UserError, main_guard
from carvana.figures.digits import Digits, cpus_of, digits_of, write_digits
from carvana.figures.of_run import figures_of
from carvana.provenance import package_versions


def main() -> None:
    configuration = overlay(finished_precision())
    figures, cpus = figures_of(ROOT / SAMPLE), cpus_of(ROOT / SAMPLE)
    if len(cpus) != 1:
        raise UserError(f"{SAMPLE} was computed on several kinds of CPU: {', '.join(sorted(cpus))}")
    digits = Digits(cpus.pop(), package_versions(), configuration, digits_of(figures))
    write_digits(digits, ROOT / "config/sample_digits.yaml")


if __name__ == "__main__":
    main_guard(main)
