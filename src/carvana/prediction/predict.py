"""The job that predicts a shard of the test images by all networks of a model."""

from __future__ import annotations

from pathlib import Path

from carvana.data.imageset import ImageSet
from carvana.data.manifest import Manifest
from carvana.prediction.conditions import Conditions
from carvana.prediction.run import prepare, sums_store
from carvana.prediction.timings import timed


def predict(conditions: Conditions, manifest: Manifest, sums: Path, timings: Path) -> None:
    """Store the sum of all networks' 8-bit maps of each image of a shard.

    Args:
        conditions: of the job.
        manifest: of the shard's test images.
        sums: the map store to write, in the manifest's order.
        timings: JSON to write.

    Raises:
        UserError: unusable weights, or an image is unreadable or not of the geometry's size.
    """
    names = manifest.names
    forwards, pipeline = prepare(conditions, ImageSet(manifest))
    with timed(timings, conditions, len(names)), sums_store(sums, names, conditions, len(forwards)) as store:
        pipeline.run(names, lambda _: forwards, store.write)
