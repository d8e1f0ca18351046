"""Plant faults of `make mutants` in a copy of the code, one by one: what do they do to the sample's figures?

    make sample
    python -m benchmarks.mutants_on_sample "unreliable top: no hull" "linknet34: no mirror"

Without names, all of them. Snakemake makes anew what a fault's code makes: minutes for a fault in training, most of a
day for all. On the kind of CPU that config/sample_digits.yaml is of, `verify` fails with every fault that changes a
figure; on any other, with those that leave a band.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.results import ROOT
from benchmarks.sample import SAMPLE, finished_precision
from carvana.errors import UserError, main_guard
from carvana.figures.bands import Band, read_bands
from carvana.figures.digits import digits_of
from carvana.figures.of_run import figures_of
from tests.mutants.mutants import MUTANTS, Mutant

COPIED: Final = ("src", "config", "workflow", "envs", "profiles", "docker", "docs", "Snakefile")


def figures_with(mutant: Mutant, cores: int) -> dict[str, float]:
    """The sample's figures with a fault; what it does not touch is taken from the finished run."""
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, copy / name)
        # Linked, not copied: every step removes or replaces its outputs, none writes into them.
        shutil.copytree(ROOT / SAMPLE, copy / SAMPLE, copy_function=os.link)
        shutil.copytree(ROOT / ".snakemake/metadata", copy / ".snakemake/metadata")
        path = copy / mutant.file
        path.write_text(path.read_text().replace(mutant.old, mutant.new))
        command = ["snakemake", str(SAMPLE / "scores.csv"), "--cores", str(cores), "--resources", "gpu=0"]
        command += ["--quiet", "all", "--configfile", "config/sample.yaml"]
        command += ["--config", f"precision={finished_precision()}"]
        environment = {**os.environ, "PYTHONPATH": str(copy / "src")}
        subprocess.run(command, cwd=copy, env=environment, check=True, stdout=subprocess.DEVNULL)
        return figures_of(copy / SAMPLE)


def verdict(before: Mapping[str, float], after: Mapping[str, float], bands: Mapping[str, Band]) -> str:
    """What a fault did to the figures."""
    one, other = digits_of(before), digits_of(after)
    changes = {figure: abs(other[figure] - one[figure]) for figure in one if other[figure] != one[figure]}
    if not changes:
        return "changes no figure"
    outside = sum(not bands[figure].holds(after[figure]) for figure in changes)
    return f"changes {len(changes)} figures, by at most {max(changes.values()):.2g}; {outside} leave their bands"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="of faults (default: all)")
    parser.add_argument("--cores", type=int, default=2)
    given = parser.parse_args()
    if unknown := set(given.names) - {mutant.name for mutant in MUTANTS}:
        raise UserError(f"no such fault: {min(unknown)}; tests/mutants/mutants.py names them")
    bands = read_bands(ROOT / "config/sample_bands.yaml")
    before = figures_of(ROOT / SAMPLE)
    for mutant in MUTANTS:
        if not given.names or mutant.name in given.names:
            print(f"{mutant.name}: {verdict(before, figures_with(mutant, given.cores), bands)}", flush=True)


if __name__ == "__main__":
    main_guard(main)
