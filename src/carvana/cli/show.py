"""Show one image of a finished run."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.cli.folders import check_run, check_writable
from carvana.picture import write_picture
from carvana.show import picture_of_image


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("image", help="name of a training or test image, such as 03a857ce842d_01.jpg")
    parser.add_argument("--run", dest="results", type=Path, required=True, help="folder of a finished run")
    parser.add_argument("--out", type=Path, help=".png or .jpg to write (default: <run>/pictures/<image>.png)")


def run(given: argparse.Namespace) -> None:
    """Write the picture and say where. Raises UserError when the run has no such image, or it cannot be written."""
    check_run(given.results)
    picture_HWC = picture_of_image(given.results, given.image)
    path = given.out or given.results / "pictures" / f"{Path(given.image).stem}.png"
    check_writable([path])
    write_picture(path, picture_HWC)
    print(path)
