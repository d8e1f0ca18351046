"""What a teacher says of a shard of the test images: masks for pseudo-labels, and how sure it is of them."""

from __future__ import annotations

from pathlib import Path

from carvana.arrays import Sums
from carvana.data.imageset import ImageSet
from carvana.data.manifest import Manifest
from carvana.maps.merging import merge_rule
from carvana.prediction.conditions import Conditions
from carvana.prediction.run import prepare
from carvana.prediction.timings import timed
from carvana.pseudo_labels.candidates import candidate, write_candidates
from carvana.pseudo_labels.uncertainty import uncertainty_of


def teach(
    conditions: Conditions,
    manifest: Manifest,
    unclear: tuple[int, int],
    candidates: Path,
    timings: Path,
) -> None:
    """Write the mask of each image of a shard by the networks together, and how uncertain it is.

    Args:
        conditions: of the job.
        manifest: of the shard's test images.
        unclear: see `uncertainty_of`.
        candidates: the table to write, in the manifest's order.
        timings: JSON to write.

    Raises:
        UserError: as `predict`.
    """
    names = manifest.names
    forwards, pipeline = prepare(conditions, ImageSet(manifest))
    rule, found = merge_rule(conditions.recipe), []

    def note(name: str, sums_HW: Sums) -> None:
        mask_HW = rule.mask(sums_HW, len(forwards))
        uncertainty = uncertainty_of(rule.merged(sums_HW, len(forwards)), mask_HW, unclear)
        found.append(candidate(name, mask_HW, uncertainty))

    with timed(timings, conditions, len(names)):
        pipeline.run(names, lambda _: forwards, note)
        write_candidates(candidates, found)
