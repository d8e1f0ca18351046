"""Get and verify the one checkpoint that the authors published; write a receipt of what it is."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.errors import main_guard
from carvana.files import sha256_of, write_json
from carvana.released.fetch import fetch_blob


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--blob", required=True, help="its hash in git")
    parser.add_argument("--file", type=Path, required=True, help="where it lies, or is put")
    parser.add_argument("--receipt", type=Path, required=True, help="JSON to write")
    given = parser.parse_args()
    fetch_blob(given.url, given.file, given.blob)
    receipt = {
        "file": given.file.name,
        "bytes": given.file.stat().st_size,
        "sha256": sha256_of(given.file),
        "git_blob": given.blob,
        "source": given.url,
    }
    write_json(given.receipt, receipt)


if __name__ == "__main__":
    main_guard(main)
