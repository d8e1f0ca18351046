"""Where the benchmarks' results lie: one file for each machine and set of libraries."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from carvana.files import whole_file

ROOT: Final = Path(__file__).resolve().parents[1]


def write_result(conditions: Sequence[str], document: Mapping[str, Any]) -> None:
    """Write a result into the file that is named after its conditions, and say where."""
    name = re.sub(r"[^a-z0-9.]+", "-", " ".join(conditions).lower()).strip("-")
    path = ROOT / "benchmarks/results" / f"{name}.json"
    with whole_file(path) as partial:
        partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"in {path.relative_to(ROOT)}")
