"""The arguments of commands that look at a run: its configuration, given as it is to Snakemake."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.config import load_config
from carvana.errors import UserError
from carvana.planning.plan import Plan
from carvana.revision import ROOT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --configfile and --config."""
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="overlays, such as config/sample.yaml")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single values")


def plan_of(given: argparse.Namespace) -> Plan:
    """The plan of the run that the arguments name.

    Raises:
        UserError: the working folder is not the checkout, or the configuration cannot be used.
    """
    # The configuration is the checkout's, and what it names lies relative to the working folder.
    if not Path.cwd().samefile(ROOT):
        raise UserError(
            f"{Path.cwd()} is not the folder of this checkout, where runs are looked for: run `cd {ROOT}` first"
        )
    plan = Plan(load_config(ROOT, given.configfile, given.config), ROOT)
    plan.check()
    return plan
