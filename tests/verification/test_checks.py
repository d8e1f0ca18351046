import re
from importlib.metadata import version

import pytest
import yaml

from carvana.data.manifest import ImageRecord, Manifest
from carvana.figures.bands import Band, band, pooled
from carvana.folds import assign_folds, folds_digest, mask_areas, write_folds
from carvana.leaderboard.record import Scored
from carvana.revision import ROOT
from carvana.verification.check import Check, reproduction_holds, scores_judged
from carvana.verification.conformance import check_conformance, measured_code
from carvana.verification.figures import check_figures
from carvana.verification.folds import Scheme, check_scheme
from carvana.verification.leaderboard import check_leaderboard

PUBLISHED = yaml.safe_load((ROOT / "config/published.yaml").read_text())
STATED_CODE = re.compile(r"^Code: `[0-9a-f]{16}`", re.MULTILINE)
CARS = [f"{car:012x}" for car in range(6)]
MANIFEST = Manifest(
    tuple(
        ImageRecord(f"{car}_{view:02}.jpg", car, view, 1, 94, 64, "", "", "", "", 1000 + 7 * number + view)
        for number, car in enumerate(CARS)
        for view in range(1, 17)
    )
)
SCORED = Scored("ensemble", PUBLISHED["competition"], 1, 0.99, 0.9973, "2026-01-01", "", "a.csv.gz", "0" * 64)


def verdicts(checks):
    return [check.verdict for check in checks]


def test_nothing_expected_is_no_reproduction():
    none = Check("out_of_fold", "a", "", "", "1", "no expectation", "")
    held, failed = (Check("folds", "b", "1", "equal", "2", verdict, "") for verdict in ("holds", "FAILS"))
    assert not reproduction_holds([none])
    assert reproduction_holds([none, held])
    assert not reproduction_holds([held, failed])


def test_folds_and_weights_alone_say_nothing_of_scores():
    folds = Check("folds", "a", "1", "equal", "1", "holds", "")
    unknown = Check("out_of_fold", "a", "1", "equal", "1", "no expectation", "")
    score = Check("leaderboard", "a", "1", "equal", "2", "FAILS", "")
    assert not scores_judged([folds, unknown])
    assert scores_judged([folds, unknown, score])


def test_folds_are_held_to_the_published_digest_or_to_the_rule(tmp_path):
    folds = assign_folds("fma", mask_areas(MANIFEST), 2)
    write_folds(folds, tmp_path / "fma.csv")
    scheme = Scheme("fma", tmp_path / "fma.csv", 2, "")
    assert check_scheme(scheme, MANIFEST).verdict == "holds"
    published = Scheme("fma", tmp_path / "fma.csv", 2, folds_digest(folds))
    assert check_scheme(published, MANIFEST).verdict == "holds"
    write_folds({**folds, CARS[0]: 1 - folds[CARS[0]]}, tmp_path / "fma.csv")
    assert check_scheme(scheme, MANIFEST).verdict == "FAILS"
    assert check_scheme(published, MANIFEST).verdict == "FAILS"


def test_a_figure_outside_its_band_or_not_made_fails():
    values = [0.90, 0.91, 0.92, 0.93, 0.94]
    bands = {f"out_of_fold/model/{name}": band(values, pooled([values]), 3) for name in "abc"}
    figures = {"out_of_fold/model/a": 0.95, "out_of_fold/model/b": 0.5, "training_loss/a": 1.0}
    checks = check_figures(figures, bands, "")
    assert [(check.what, check.verdict) for check in checks] == [
        ("model/a", "holds"),
        ("model/b", "FAILS"),
        ("a", "no expectation"),
        ("model/c", "FAILS"),
    ]
    assert checks[0].source.startswith("5 runs, s = 0.0158")
    assert checks[3].measured == "not made"


def test_kaggles_score_is_held_to_the_one_published_value():
    (public, private) = check_leaderboard([SCORED], PUBLISHED)
    assert (public.verdict, private.verdict) == ("no expectation", "holds")
    assert "one published value" in private.band
    (_, far) = check_leaderboard([Scored(**{**SCORED.__dict__, "private": 0.99})], PUBLISHED)
    assert far.verdict == "FAILS"
    (unsent,) = check_leaderboard([], PUBLISHED)
    assert (unsent.measured, unsent.verdict, unsent.expected) == ("not submitted", "no expectation", "0.997332")


def test_the_conformance_table_is_of_this_code():
    """If this fails, `make conformance` measures the table anew."""
    assert verdicts(check_conformance(ROOT / "docs/conformance.md")) == ["holds"] * 7


@pytest.mark.parametrize(
    ("old", "new", "failing"),
    [
        ("| equal | holds |", "| 3 differ | **FAILS** |", 0),
        ("## linknet34", "## another", 1),
        (f"torch {version('torch').partition('+')[0]},", "torch 2.0.0,", 5),
        (measured_code(), "0" * 16, 6),
    ],
    ids=["a property fails", "a section is missing", "other packages", "other code"],
)
def test_a_conformance_table_that_does_not_hold_fails(tmp_path, old, new, failing):
    document = STATED_CODE.sub(f"Code: `{measured_code()}`", (ROOT / "docs/conformance.md").read_text())
    assert old in document
    (tmp_path / "conformance.md").write_text(document.replace(old, new, 1))
    checks = check_conformance(tmp_path / "conformance.md")
    assert [number for number, verdict in enumerate(verdicts(checks)) if verdict == "FAILS"] == [failing]


def test_what_differs_from_the_bands_conditions_is_told_beside_them():
    values = [0.90, 0.91, 0.92, 0.93, 0.94]
    bands = {"training_loss/a": band(values, pooled([values]), 1)}
    (check,) = check_figures({"training_loss/a": 0.92}, bands, " (they: bf16, this run: exact)")
    assert check.source == "5 runs, s = 0.0158 (they: bf16, this run: exact)"


def test_a_figure_is_held_to_its_band_in_the_digits_that_the_band_has():
    bands = {"training_loss/a": Band((0.91,) * 5, 0.01, 4, 0.9, 0.92)}
    for value, verdict in ((0.92004, "holds"), (0.89996, "holds"), (0.92006, "FAILS")):
        assert verdicts(check_figures({"training_loss/a": value}, bands, "")) == [verdict]
