"""What a command's own arguments say about what it needs: its configuration, GPUs, Kaggle."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carvana.config import load_config


@dataclass(frozen=True)
class Needs:
    """What a command needs.

    Attributes:
        config: the run's, which says where files lie.
        configfiles: overlays that the command names.
        cpu: whether it says itself that it wants no GPU.
        kaggle: whether it may speak to Kaggle.
    """

    config: Mapping[str, Any]
    configfiles: tuple[Path, ...]
    cpu: bool
    kaggle: bool


def needs_of(command: Sequence[str], root: Path) -> Needs:
    """Read the command's arguments as Snakemake, and our own programs, would.

    Args:
        command: the program and its arguments.
        root: of the checkout.

    Raises:
        UserError: its configuration cannot be used.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", type=Path, nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    parser.add_argument("--resources", "--res", nargs="+", default=[])
    parser.add_argument("--dry-run", "--dryrun", "-n", action="store_true")
    given, others = parser.parse_known_args(command[1:])
    config = load_config(root, given.configfile, given.config)
    program = Path(command[0]).name
    asks = config["data"]["source"] == "kaggle" or "leaderboard" in others
    return Needs(
        config=config,
        configfiles=tuple(given.configfile),
        cpu="gpu=0" in given.resources,
        kaggle=program == "kaggle" or (program == "snakemake" and asks and not given.dry_run),
    )
