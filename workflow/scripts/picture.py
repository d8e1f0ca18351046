"""Draw a training image, its truth and its out-of-fold prediction side by side; the image is the one of median Dice."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.imageset import ImageSet
from carvana.data.manifest import read_manifest
from carvana.errors import main_guard
from carvana.picture import picture_of, representative_image, write_picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--masks", type=Path, required=True, help="table of out-of-fold masks")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    given = parser.parse_args()
    images = ImageSet(read_manifest(given.manifest))
    name = representative_image(given.masks, images)
    write_picture(given.out, picture_of(name, given.masks, images))
    print(f"{given.out}: {name}")


if __name__ == "__main__":
    main_guard(main)
