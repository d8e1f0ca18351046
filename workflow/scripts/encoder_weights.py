"""Get and verify the ImageNet weights of one encoder; write a receipt of what they are."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.encoder_weights import RENAMED, encoder_state, fetch, verify
from carvana.errors import main_guard
from carvana.files import write_json


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", choices=tuple(RENAMED), required=True)
    parser.add_argument("--file", type=Path, required=True, help="where the weights lie, or are put")
    parser.add_argument("--url", help="where to download them if they are not there; ends in the published name")
    parser.add_argument("--receipt", type=Path, required=True, help="JSON to write")
    given = parser.parse_args()
    digest = fetch(given.url, given.file) if given.url else verify(given.file)
    tensors = encoder_state(given.encoder, given.file)
    receipt = {
        "encoder": given.encoder,
        "file": given.file.name,
        "bytes": given.file.stat().st_size,
        "sha256": digest,
        "tensors": len(tensors),
        "source": given.url or "local file",
    }
    write_json(given.receipt, receipt)


if __name__ == "__main__":
    main_guard(main)
