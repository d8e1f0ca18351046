"""The finished run of `make sample`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

from carvana.errors import UserError

ROOT: Final = Path(__file__).resolve().parents[1]
SAMPLE: Final = Path("results/sample")


def configuration() -> dict[str, Any]:
    """The overlay that it was made with: the sample's, with the precision that `make sample` chose for this CPU.

    Raises:
        UserError: there is no finished sample.
    """
    paths = sorted((ROOT / SAMPLE).glob("models/*/fold*/recipe.yaml"))
    if not paths:
        raise UserError(f"{SAMPLE} has no networks: `make sample` first")
    overlay: dict[str, Any] = yaml.safe_load((ROOT / "config/sample.yaml").read_text())
    return overlay | {"precision": yaml.safe_load(paths[0].read_text())["run"]["precision"]}
