"""A teacher's masks of one shard of the test images, and how sure it is of each."""

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
    parser.add_argument(
        "--unclear", type=int, nargs=2, required=True, help="levels that are neither car nor background"
    )
    parser.add_argument("--out", type=Path, required=True, help="CSV to write: img, rle_mask, unclear, outline")
    parser.add_argument("--timings", type=Path, required=True, help="JSON to write")
    given = parser.parse_args()
    manifest, unclear = read_manifest(given.manifest), (given.unclear[0], given.unclear[1])
    part = Manifest(manifest.records[shard_slice(len(manifest), given.shards, given.shard)])
    facts = facts_asked(Path(__file__), given, part, unclear=" ".join(map(str, unclear)))

    def make(workplace: Workplace) -> None:
        conditions = Conditions.leased(given)

        # Imported late: the lease must come before torch, and wrong arguments should not wait for it.
        from carvana.prediction.teach import teach

        candidates, timings = (workplace.result / name for name in outputs)
        teach(conditions, part, unclear, candidates, timings)

    outputs = {"candidates.csv": given.out, "timings.json": given.timings}
    with ended_by_signals(requeued=False):
        Store(given.store).obtain(facts, outputs, make)


if __name__ == "__main__":
    main_guard(main)
