"""The section of the report that says what was run, and what to think of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple

from carvana.geometry import FULL, GEOMETRIES
from carvana.report import page
from carvana.report.page import Cell, Section
from carvana.report.record import Network, RunRecord
from carvana.text import score
from carvana.verification.check import Check
from carvana.verification.document import COLUMNS


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
    table = page.table(COLUMNS, map(astuple, checks), [check.failed for check in checks])
    return Section("overview", "What was run", body + page.folded("All checks", table))


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


def _seconds(run: RunRecord) -> Iterable[float]:
    jobs = (*(network.timings for network in run.networks if network.trained), *run.validation, *run.prediction)
    return (job["seconds"] for job in jobs)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.1f}" if seconds >= 36_000 else f"{seconds / 3600:.2f}"
