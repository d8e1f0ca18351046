"""What a job with trained networks cost."""

from __future__ import annotations

import json
import platform
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from carvana.files import whole_file
from carvana.prediction.conditions import Conditions


@contextmanager
def timed(path: Path, conditions: Conditions, images: int) -> Iterator[None]:
    """Write JSON of what the block took, if it ends well. Peaks are those of the process since its start, in bytes."""
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    on_gpu = conditions.device == "cuda"
    timings = {
        "images": images,
        "networks": len(conditions.weights),
        "seconds": seconds,
        "images_per_second": images / seconds,
        "device": conditions.device,
        "device_name": torch.cuda.get_device_name() if on_gpu else platform.processor() or platform.machine(),
        "threads": conditions.threads,
        "workers": conditions.workers,
        # Linux counts in KiB.
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "peak_device_memory_bytes": torch.cuda.max_memory_allocated() if on_gpu else None,
    }
    with whole_file(path) as partial:
        partial.write_text(json.dumps(timings, indent=1) + "\n", encoding="utf-8")
