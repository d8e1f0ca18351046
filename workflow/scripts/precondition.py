"""Is the first round good enough for pseudo-labels to help? Stops where it is not and nobody has said yes."""

from __future__ import annotations

import argparse
from pathlib import Path

from carvana.data.manifest import read_manifest
from carvana.errors import UserError, main_guard
from carvana.grading.dice import dice_by_image, mean_dice
from carvana.grading.truth import training_truth
from carvana.pseudo_labels.precondition import Precondition, write_precondition


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="of the training images")
    parser.add_argument("--masks", type=Path, required=True, help="the first round's, out of fold")
    parser.add_argument("--teacher", required=True)
    parser.add_argument("--needed", type=float, required=True, help="mean Dice from which on pseudo-labels help")
    parser.add_argument("--accept-below", action="store_true", help="go on in any case")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    given = parser.parse_args()
    truth = training_truth(read_manifest(given.manifest))
    dice = mean_dice(dice_by_image([given.masks], truth, partial=True).values())
    if dice is None:
        raise UserError(f"{given.masks} has no mask of a training image; delete it and run the step that makes it")
    found = Precondition(given.teacher, dice, given.needed, given.accept_below)
    found.check()
    print(("" if found.met else "warning: ") + found.message)
    write_precondition(found, given.out)


if __name__ == "__main__":
    main_guard(main)
