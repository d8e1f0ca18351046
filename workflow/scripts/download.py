"""Download one file of the competition and verify it; write a receipt of what it is."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from pathlib import Path

from carvana.errors import main_guard
from carvana.files import write_json
from carvana.kaggle.client import Kaggle
from carvana.kaggle.content import agrees
from carvana.kaggle.credentials import find_credentials
from carvana.kaggle.download import Wanted, obtain
from carvana.kaggle.retry import Patience


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--competition", required=True, help="its name in Kaggle's addresses")
    parser.add_argument("--name", required=True, help="ours of the file, such as train_hq")
    parser.add_argument("--files", nargs="+", required=True, help="names Kaggle may list it under, preferred one first")
    parser.add_argument("--folder", type=Path, required=True, help="where it goes")
    parser.add_argument("--receipt", type=Path, required=True, help="JSON to write")
    parser.add_argument("--published-mebibytes", type=float, help="its size as published, to three digits")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    given = parser.parse_args()
    patience = Patience()

    def connect(lock: int) -> Kaggle:
        credentials = find_credentials(os.environ, Path.home())
        if credentials.warning:
            print(f"warning: {credentials.warning}", file=sys.stderr)
        return Kaggle(given.competition, credentials, patience.stall, keep_open=(lock,))

    record = obtain(Wanted(given.name, given.files), given.folder, connect, patience, given.quiet)
    write_json(given.receipt, {"name": given.name, **asdict(record)})
    if given.published_mebibytes and not agrees(record.bytes, given.published_mebibytes):
        print(f"note: {given.published_mebibytes:g} MiB were published, {record.bytes / 2**20:.1f} MiB are listed")
    print(f"{given.folder / record.file}: {record.bytes:,} bytes, verified {record.verified}, SHA-256 {record.sha256}")


if __name__ == "__main__":
    main_guard(main)
