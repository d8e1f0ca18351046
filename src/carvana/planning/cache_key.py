"""What Snakemake's own cache leaves out of its keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import cast

from carvana.data.manifest import content_digest, read_manifest
from carvana.files import sha256_of


def cache_key(
    wildcards: Iterable[tuple[str, str]], files: Iterable[tuple[str, object]], threads: int, gpus: int
) -> str:
    """A digest of a job's wildcards, its inputs' names, what manifests say, the device and, on the CPU, the threads.

    Weights count by the job that made them, as Snakemake sees to.

    Args:
        wildcards: of the job, by name.
        files: its inputs, by role.
        threads: of the job.
        gpus: granted to the job; 0: it runs on the CPU.

    Raises:
        FileNotFoundError: the manifest or the folds are not made yet; Snakemake asks again before the job runs.
    """
    parts: list[object] = [sorted(wildcards), "cuda" if gpus else f"cpu, {threads} threads"]
    for role, paths in files:
        names = [paths] if isinstance(paths, str) else list(cast("Iterable[object]", paths))
        files_of_role = [Path(str(name)) for name in names]
        if role in ("manifest", "pseudo"):
            parts.extend(_content(path, path.stat().st_mtime_ns) for path in files_of_role)
        elif role == "folds":
            parts.extend(sha256_of(path) for path in files_of_role)
        else:
            parts.append([path.name for path in files_of_role])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


@cache
def _content(manifest: Path, changed: int) -> str:
    return content_digest(read_manifest(manifest))
