"""The sections of the report that are made of numbers."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from carvana.catalogue import MEMBERS, RECIPES
from carvana.geometry import FULL, GEOMETRIES
from carvana.grading.score_table import numbered_notes
from carvana.report import page, plots
from carvana.report.groups import Summary, by_group, by_share, summary
from carvana.report.page import Cell, Section
from carvana.report.record import Network, RunRecord
from carvana.text import score
from carvana.verification.check import Check

_SHARES: Final = 5
_NETWORK_COLUMNS: Final = (
    "model", "fold", "weights", "Dice", "spread", "lowest", "images", "epochs", "selected epoch", "minutes", "images/s",
    "memory, GiB", "GPU memory, GiB",
)  # fmt: skip
_STAGE_COLUMNS: Final = (
    "stage", "jobs", "hours", "device", "GPU-hours", "CPU core-hours", "images", "images/s", "memory, GiB",
    "GPU memory, GiB",
)  # fmt: skip
_DIGITS: Final = {
    "minutes": 1, "images/s": 1, "memory, GiB": 2, "GPU memory, GiB": 2, "hours": 2, "GPU-days": 1, "GPU-hours": 2,
    "CPU core-hours": 2,
}  # fmt: skip
_LEVELS: Final = ("model", "recipe", "member", "ensemble")


def overview(run: RunRecord, commit: str, image: str) -> Section:
    """What was run, the verdict, and the ensemble's scores next to the published ones.

    Args:
        run: the run.
        commit: that the report was made with.
        image: digest of the container image; empty: none.
    """
    conditions = run.networks[0].conditions
    geometry = GEOMETRIES[conditions["geometry"]]
    jobs = (*(network.timings for network in run.networks if network.trained), *run.validation)
    devices = sorted({job["device_name"] for job in jobs})
    on_gpu = jobs[0]["device"] == "cuda"
    facts = {
        "recipes": f"{run.edition} edition",
        "geometry": f"{geometry.name}, {geometry.image_size[0]} x {geometry.image_size[1]}",
        "networks": _origins(run.networks),
        "training images": f"{len(run.images):,}",
        "commit of this report": commit,
        "container image": image or "none",
        "GPU" if on_gpu else "GPU: none; CPU": ", ".join(devices),
        "hours, all jobs": _hours(sum(_seconds(run))),
        "precision": conditions["precision"],
    }
    body = page.facts(facts) + _verdict(run) + page.heading("The ensemble's score")
    body += page.table(("score", "this run", "published", "source of the published value"), _ensemble_scores(run))
    if geometry != FULL:
        body += page.text(
            "This is a small run on images of a twentieth of the size: its scores are not the competition's.", "faint"
        )
    body += page.text(
        "Out of fold: each training image is scored by networks that never saw its car. It is optimistic all the same,"
        " since each network's epoch was chosen on those images.",
        "faint",
    )
    checks = run.verification.checks
    columns = ("group", "what", "expected", "band", "measured", "verdict", "source of the expectation")
    rows = [(c.group, c.what, c.expected, c.band, c.measured, c.verdict, c.source) for c in checks]
    failing = [check.failed for check in checks]
    return Section("overview", "What was run", body + page.folded("All checks", page.table(columns, rows, failing)))


def _origins(networks: Sequence[Network]) -> str:
    imported = sum(not network.trained for network in networks)
    return str(len(networks)) + (f", {imported} of them imported" if imported else "")


def _verdict(run: RunRecord) -> str:
    checks, failed = run.verification.checks, run.verification.failed
    if run.verification.holds:
        open_ones = sum(check.is_open for check in checks)
        held = len(checks) - open_ones
        told = f"{held} of {len(checks)} checks hold; without an expectation: {open_ones}."
        if not run.verification.scores_judged:
            return page.text(f"Nothing fails, but no score was compared with anything: {told}", "verdict")
        return page.text(f"The reproduction holds: {told}", "verdict holds")
    told = f"The reproduction does not hold: {len(failed)} of {len(checks)} checks fail: {_named(failed)}."
    return page.text(told, "verdict fails")


def _named(failed: Sequence[Check], shown: int = 6) -> str:
    names = [f"{check.group}: {check.what}" for check in failed[:shown]]
    return "; ".join(names) + (" and others" if len(failed) > shown else "")


def _ensemble_scores(run: RunRecord) -> list[Sequence[Cell]]:
    (ours,) = (row for row in run.scores if row.level == "ensemble")
    published = run.published["leaderboard"]["scores"]["ensemble"]
    rows: list[Sequence[Cell]] = [("out of fold, training images", score(ours.out_of_fold), "–", "never published")]
    for part, dice in (("public", ours.public), ("private", ours.private)):
        if dice is not None:
            drawn = "none: the competition is drawn"
            rows.append((f"{part} test images, truth at hand", score(dice), "–", drawn))
    for part in ("public", "private"):
        measured = next((getattr(one, part) for one in run.scored if one.name == "ensemble"), None)
        known = score(published[part]["value"], "–")
        rows.append((f"{part}, at Kaggle", score(measured, "not submitted"), known, published[part]["source"]))
    return rows


def models(run: RunRecord) -> Section:
    """Per model and fold: Dice with spread, selected epoch, time, memory; and the training curves."""
    curves = {
        f"{model} ({len(run.of_model(model))} folds)": plots.training_curves(run.of_model(model))
        for model in run.models
        if all(network.trained for network in run.of_model(model))
    }
    means = {model: summary(value for network in run.of_model(model) for value in network.dice) for model in run.models}
    chart = plots.bars({n: s.mean for n, s in means.items()}, {n: s.deviation for n, s in means.items()})
    body = page.text(
        "Dice of a fold's images, each scored by the network that was not trained on them; spread is their standard"
        " deviation."
    )
    body += page.table(_NETWORK_COLUMNS, map(_network_row, run.networks), digits=_DIGITS)
    body += page.plots({"Dice by model, all folds, with the spread of images": chart})
    if curves:
        body += page.heading("Training curves") + page.text("A dot marks the epoch whose weights were kept.", "faint")
        body += page.plots(curves)
    return Section("models", "Models and folds", body)


def _network_row(network: Network) -> Sequence[Cell]:
    of_images = summary(network.dice)
    dice = (of_images.mean, of_images.deviation, of_images.lowest, of_images.count)
    if not network.trained:
        return (network.model, network.fold, "released", *dice, *[None] * 6)
    epochs = network.timings["epochs"]
    seconds = sum(epoch["train_seconds"] for epoch in epochs)
    speed = sum(epoch["train_images"] for epoch in epochs) / seconds if seconds else None
    return (
        network.model,
        network.fold,
        "trained",
        *dice,
        len(network.history),
        network.selected_epoch,
        network.timings["seconds"] / 60,
        speed,
        network.timings["peak_memory_bytes"] / 2**30,
        _gibibytes(network.timings["peak_device_memory_bytes"]),
    )


def _gibibytes(value: int | None) -> float | None:
    return None if value is None else value / 2**30


def gains(run: RunRecord) -> Section:
    """What the ensemble gains over its parts, and what the unreliable-top rule does."""
    scores = [row for row in run.scores if row.level in _LEVELS]
    notes, numbers = numbered_notes([row.note for row in scores])
    columns = ("name", "level", "out of fold", "public", "private", "images", "notes")
    rows: list[Sequence[Cell]] = [
        (row.name, row.level, *row.dice, row.images, told) for row, told in zip(scores, numbers, strict=True)
    ]
    plain = statistics.fmean(row.plain_mean for row in run.images)
    means: dict[str, float] = {"mean of the four recipes' maps": plain}
    for member in MEMBERS:
        means[f"without {member}"] = statistics.fmean(getattr(row, f"without_{member}") for row in run.images)
    for recipe in RECIPES:
        means[f"{recipe} alone"] = statistics.fmean(getattr(row, recipe) for row in run.images)
    left: list[Sequence[Cell]] = [(name, value, value - plain) for name, value in means.items()]
    acted = [row for row in run.images if row.rule_acted]
    submitted = statistics.fmean(row.ensemble for row in run.images)
    better = sum(row.ensemble > row.plain_mean for row in acted)
    body = page.heading("Every part alone") + page.table(columns, rows)
    body += "".join(page.text(f"[{number}] {note}", "faint") for number, note in enumerate(notes, start=1))
    body += page.heading("Leave one out") + page.text(
        "Out-of-fold Dice of plain means, without the unreliable-top rule.", "faint"
    )
    body += page.table(("what", "Dice", "difference from all"), left)
    body += page.heading("The unreliable-top rule") + page.table(
        ("rule", "Dice"), [("on, as submitted", submitted), ("off", plain), ("difference", submitted - plain)]
    )
    body += page.text(
        f"The rule acted on {len(acted):,} of {len(run.images):,} training images; it made {better:,} of them better."
    )
    return Section("gains", "What the ensemble gains", body)


def groups(run: RunRecord) -> str:
    """The ensemble's Dice by view, by the car's make and year, and by its share of the image."""
    views = dict(sorted(by_group(run.images, lambda row: row.view).items()))
    shares = by_share(run.images, _SHARES)
    body = page.plots(
        {
            "Dice by view": plots.bars({str(view): s.mean for view, s in views.items()}),
            "Dice by the car's share of the image": plots.bars({name: s.mean for name, s in shares.items()}),
        }
    )
    body += page.folded("The numbers", _group_table("view", views) + _group_table("car's share of the image", shares))
    if not run.metadata:
        return body + page.text("metadata.csv is not there: makes and years are not known.", "faint")
    unknown = ("not in metadata.csv", "not in metadata.csv")
    for place, name in enumerate(("make", "year")):
        found = by_group(run.images, lambda row, place=place: run.metadata.get(row.car, unknown)[place])  # type: ignore[misc]
        ordered = dict(sorted(found.items(), key=lambda item: item[1].mean))
        body += page.heading(f"By {name}") + _group_table(name, ordered)
    return body


def _group_table(name: str, found: Mapping[Any, Summary]) -> str:
    rows = ((group, s.count, s.mean, s.deviation, s.lowest) for group, s in found.items())
    return page.table((name, "images", "Dice", "spread", "lowest"), rows)


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
        _gibibytes(max(device_memory)) if device_memory else None,
    )


def _processes(job: Mapping[str, Any]) -> int:
    # Training's workers are processes beside it; those of a prediction prepare images while it computes.
    return int(job["workers"]) if "epochs" in job else 0


def _images(stage: str, job: Mapping[str, Any]) -> int:
    if stage == "training":
        return sum(epoch["train_images"] + epoch["valid_images"] for epoch in job["epochs"])
    # A validation shows each image to one network, a prediction to all.
    return int(job["images"]) * (int(job["networks"]) if stage == "prediction" else 1)


def _seconds(run: RunRecord) -> Iterable[float]:
    jobs = (*(network.timings for network in run.networks if network.trained), *run.validation, *run.prediction)
    return (job["seconds"] for job in jobs)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.1f}" if seconds >= 36_000 else f"{seconds / 3600:.2f}"
