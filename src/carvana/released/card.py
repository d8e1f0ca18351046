"""The model card: what published weights are, how good, and how to use them; in the form that model hubs read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from carvana.geometry import FULL
from carvana.released.index import Index
from carvana.text import score

_HEAD: Final = """---
license: mit
pipeline_tag: image-segmentation
library_name: pytorch
tags: [carvana, image-segmentation, ensemble]
---

# Carvana, 1st place: {networks} networks of the {edition} edition

Networks that cut cars out of photographs, trained anew by a reproduction of the winning solution of Kaggle's Carvana
Image Masking Challenge (Vladimir Iglovikov, Alexander Buslaev, Artsiom Sanakoyeu).
"""

_USE: Final = """
## Use

With the reproduction's code, these networks in the place of the training (`<folder>` is this one):

```sh
snakemake --cores 8 --resources gpu=4 --config edition={edition} weights=released 'released={{"folder": "<folder>"}}'
```

On the CPU, with the same releases of the packages and number of threads, that gives the submissions of the run that
they were packed from, byte for byte. Each file holds its tensors, and as text the resolved recipe with the source of
every value; it can run nothing. `weights.json` lists sizes, hashes, scores and the folds' digests.
"""

_LIMITS: Final = """
## Limits

- They were trained on photographs of cars on a turntable in one studio, and know nothing else.
- Scores out of fold are honest about cars and optimistic all the same: each network's epoch was chosen on its fold, and
  the batch statistics of unet_scratch saw it.
- The competition's images are Kaggle's and are not part of this; its rules forbid passing them on. Whether they allow
  weights to be passed on is for whoever publishes to find out.
"""


def model_card(index: Index) -> str:
    """The card, in Markdown."""
    run = index.run
    text = _HEAD.format(networks=len(index.networks), edition=run["edition"])
    if run["geometry"] != FULL.name:
        text += f"\nThey are of a run of the {run['geometry']} geometry, made to try the workflow: no use otherwise.\n"
    facts = (("run", run["name"]), ("commit", run["commit"]), *((k, run[k]) for k in ("geometry", "precision")))
    text += "\n## What they are\n\n" + _table(("", ""), facts)
    text += "\n" + _table(
        ("network", "folds", "origin", "MB", "SHA-256"),
        (
            (f"`{one.file}`", one.scheme, one.origin, f"{one.bytes / 1e6:.1f}", f"`{one.sha256}`")
            for one in index.networks
        ),
    )
    text += "\n" + _table(("folds", "SHA-256"), ((name, f"`{digest}`") for name, digest in index.folds.items()))
    text += "\n## Scores\n\nMean Dice.\n\n" + _table(
        ("level", "name", "out of fold", "public", "private", "training images", "notes"),
        (
            (
                row["level"],
                row["name"],
                *(_shown(row[part]) for part in ("out_of_fold", "public", "private")),
                row["images"],
                row["note"],
            )
            for row in index.scores
        ),
    )
    return text + _USE.format(edition=run["edition"]) + _LIMITS


def _shown(value: Any) -> str:
    return score(value) if isinstance(value, float) else str(value)


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
