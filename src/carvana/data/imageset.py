"""The pixels of a run's images, by name."""

from __future__ import annotations

from dataclasses import dataclass

from carvana.arrays import ByteMask, Image
from carvana.data.images import read_image
from carvana.data.manifest import Manifest, still_there
from carvana.data.masks import read_mask


@dataclass(frozen=True)
class ImageSet:
    """The pixels that a manifest lists, read from disk when asked for."""

    manifest: Manifest

    def image(self, name: str) -> Image:
        """image_HWC, uint8, blue, green, red; see `read_image`. Raises UserError too where the file has gone."""
        return read_image(still_there(self.manifest.by_name[name].file))

    def mask(self, name: str) -> ByteMask:
        """mask_HW, uint8, 0 or 1; see `read_mask` and `image`. A test image has none: ValueError."""
        mask = self.manifest.by_name[name].mask
        if not mask:
            raise ValueError(f"{name} has no mask: it is a test image")
        return read_mask(still_there(mask))
