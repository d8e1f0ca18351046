"""What a job with trained networks cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from carvana.computing.environment import computed_in
from carvana.computing.runtime import device_name, peak_memory_bytes
from carvana.files import write_json
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
        "device_name": device_name(conditions.device),
        "threads": conditions.threads,
        "workers": conditions.workers,
        "environment": computed_in(),
        "peak_memory_bytes": peak_memory_bytes(),
        "peak_device_memory_bytes": torch.cuda.max_memory_allocated() if on_gpu else None,
    }
    write_json(path, timings)
