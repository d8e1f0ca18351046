"""The section of the report on what the run cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from carvana.report import page
from carvana.report.page import Cell, Section
from carvana.report.record import RunRecord

_STAGE_COLUMNS: Final = (
    "stage", "jobs", "hours", "device", "GPU-hours", "CPU core-hours", "images", "images/s", "memory, GiB",
    "GPU memory, GiB",
)  # fmt: skip
_DIGITS: Final = {
    "hours": 2, "GPU-hours": 2, "GPU-days": 1, "CPU core-hours": 2, "images/s": 1, "memory, GiB": 2,
    "GPU memory, GiB": 2,
}  # fmt: skip


def costs(run: RunRecord) -> Section:
    """Time per stage and what decides its energy, against the authors'."""
    stages = {
        "training": [network.timings for network in run.networks if network.trained],
        "validation": run.validation,
        "prediction": run.prediction,
    }
    body = page.table(
        _STAGE_COLUMNS, [_stage_row(stage, jobs) for stage, jobs in stages.items() if jobs], digits=_DIGITS
    )
    published = run.published["costs"]
    body += page.heading("The authors'") + page.table(
        ("stage", "GPU-hours", "GPU-days", "source"),
        [
            (stage, published[stage]["value"], published[stage]["value"] / 24, published[stage]["source"])
            for stage in ("training", "prediction")
        ],
        digits=_DIGITS,
    )
    body += page.text(
        "One Titan X Pascal; the authors say 90 and 13 days. Core-hours are threads and loading processes times hours;"
        " images are counted once for each network that saw them. Power was not measured, so no energy is given:"
        " multiply the hours by your devices' power.",
        "faint",
    )
    return Section("costs", "What it cost", body)


def _stage_row(stage: str, jobs: Sequence[Mapping[str, Any]]) -> Sequence[Cell]:
    seconds = sum(job["seconds"] for job in jobs)
    # A training may take several; a prediction takes one, and does not say so.
    on_gpu = sum(job["seconds"] * job.get("gpus", 1) for job in jobs if job["device"] == "cuda")
    cores = sum(job["seconds"] * max(job["threads"] + _processes(job), 1) for job in jobs)
    images = sum(_images(stage, job) for job in jobs)
    device_memory = [job["peak_device_memory_bytes"] for job in jobs if job["peak_device_memory_bytes"] is not None]
    return (
        stage,
        len(jobs),
        seconds / 3600,
        ", ".join(sorted({job["device_name"] for job in jobs})),
        on_gpu / 3600,
        cores / 3600,
        images,
        images / seconds if seconds else None,
        max(job["peak_memory_bytes"] for job in jobs) / 2**30,
        max(device_memory) / 2**30 if device_memory else None,
    )


def _processes(job: Mapping[str, Any]) -> int:
    # Training's workers are processes beside it; those of a prediction prepare images while it computes.
    return int(job["workers"]) if "epochs" in job else 0


def _images(stage: str, job: Mapping[str, Any]) -> int:
    if stage == "training":
        return sum(epoch["train_images"] + epoch["valid_images"] for epoch in job["epochs"])
    # A validation shows each image to one network, a prediction to all.
    return int(job["images"]) * (int(job["networks"]) if stage == "prediction" else 1)
