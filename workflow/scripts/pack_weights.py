"""Pack a finished run's weights into one folder that is ready to publish."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.errors import main_guard
from carvana.released.pack import pack
from carvana.revision import revision


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", type=Path, nargs="+", required=True, help="folders of the networks")
    parser.add_argument("--scores", type=Path, required=True, help="scores.json of the run")
    parser.add_argument("--folds", nargs=2, action="append", required=True, metavar=("SCHEME", "TABLE"))
    parser.add_argument("--name", required=True, help="of the run")
    parser.add_argument("--edition", required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder to fill")
    given = parser.parse_args()
    folds = {scheme: Path(table) for scheme, table in given.folds}
    run = {"name": given.name, "edition": given.edition, "commit": revision()}
    index = pack(given.network, given.scores, folds, run, given.out)
    size = sum(network.bytes for network in index.networks) / 1e6
    print(f"{given.out}: {len(index.networks)} networks, {size:.0f} MB")


if __name__ == "__main__":
    main_guard(main)
