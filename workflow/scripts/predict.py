"""Sum the 8-bit maps of all networks of a model for one shard of the test images."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.manifest import Manifest, read_manifest
from carvana.errors import main_guard
from carvana.interruption import ended_by_signals
from carvana.prediction.conditions import Conditions, facts_asked
from carvana.prediction.shards import shard_slice
from carvana.store.store import Store, Workplace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    Conditions.add_arguments(parser)
    parser.add_argument("--manifest", type=Path, required=True, help="of the test images")
    parser.add_argument("--shard", type=int, required=True, help="number of the shard, from 0")
    parser.add_argument("--shards", type=int, required=True, help="how many there are")
    parser.add_argument("--out", type=Path, required=True, help="map store to write")
    parser.add_argument("--timings", type=Path, required=True, help="JSON to write")
    given = parser.parse_args()
    manifest = read_manifest(given.manifest)
    part = Manifest(manifest.records[shard_slice(len(manifest), given.shards, given.shard)])
    facts = facts_asked(Path(__file__), given, part)

    def make(workplace: Workplace) -> None:
        conditions = Conditions.leased(given)

        # Imported late: the lease must come before torch, and wrong arguments should not wait for it.
        from carvana.prediction.predict import predict

        predict(conditions, part, *(workplace.result / name for name in outputs))

    outputs = {"sums.h5": given.out, "timings.json": given.timings}
    with ended_by_signals(requeued=False):
        Store(given.store).obtain(facts, outputs, make)


if __name__ == "__main__":
    main_guard(main)
