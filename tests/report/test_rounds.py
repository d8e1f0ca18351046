"""What the report says of pseudo-labels, and of two editions."""

import re
from dataclasses import replace

import pytest

from carvana import rle
from carvana.data.manifest import Manifest
from carvana.geometry import SMALL
from carvana.pseudo_labels.candidates import Candidate, write_candidates
from carvana.pseudo_labels.labels import write_labels
from carvana.pseudo_labels.precondition import Precondition, write_precondition
from carvana.pseudo_labels.uncertainty import Uncertainty
from carvana.report.editions import editions
from carvana.report.rounds import pseudo_labels, read_rounds
from tests.report.runs import run_of


@pytest.fixture
def run(drawn):
    images, _, _ = drawn
    made = run_of(images.manifest.names, folds=2)
    firsts = [network for network in made.networks if network.model == "ternausnet"]
    seconds = [
        replace(one, model="ternausnet_pseudo", dice=tuple(value + 0.001 for value in one.dice)) for one in firsts
    ]
    rows = [replace(row, public=0.96) if row.name == "ternausnet" else row for row in made.scores]
    first = next(row for row in rows if row.name == "ternausnet")
    rows.append(replace(first, name="ternausnet_pseudo", out_of_fold=0.995, public=0.97))
    return replace(made, edition="presented", networks=(*made.networks, *seconds), scores=tuple(rows))


def labelled(drawn, tmp_path, teacher):
    images, _, _ = drawn
    folder = tmp_path / "fold0"
    folder.mkdir()
    candidates = [
        Candidate(name, rle.encode(images.mask(name)), Uncertainty(100 + 7 * number, 50))
        for number, name in enumerate(images.manifest.names)
    ]
    write_candidates(folder / "all.csv", candidates)
    hidden = Manifest(tuple(replace(record, mask="", mask_sha256="") for record in images.manifest))
    outputs = {name: folder / f"{name}.csv" for name in ("manifest", "ranking", "labels")}
    write_labels([folder / "all.csv"], hidden, 2, SMALL.image_size, folder / "masks", outputs)
    write_precondition(Precondition(teacher, 0.95, 0.997, accepted=True), tmp_path / "found.json")
    return read_rounds("ternausnet", "ternausnet_pseudo", tmp_path / "found.json", [folder])


def test_what_pseudo_labels_changed(run, drawn, tmp_path):
    html = pseudo_labels(run, labelled(drawn, tmp_path, "network"), tmp_path).body
    assert "out-of-fold Dice is 0.950000; pseudo-labels are expected to help from 0.997 on, so here they may" in html
    # 0.99 and 0.995 out of fold, 0.96 and 0.97 public, and 0.001 in each fold.
    for difference in (0.995 - 0.99, 0.97 - 0.96):
        assert f'data-value="{difference!r}"' in html
    assert html.count("out of fold, fold") == 2
    assert "contaminated" not in html
    # The surest and the least sure, by their uncertainty.
    assert (
        html.index("uncertainty 2.000, by fold0")
        < html.index("The least sure")
        < html.rindex("uncertainty 2.700, by fold0")
    )
    assert html.count("data:image/webp") == 12


def test_an_ensemble_as_teacher_is_said(run, drawn, tmp_path):
    html = pseudo_labels(run, labelled(drawn, tmp_path, "ensemble"), tmp_path).body
    assert "those scores are contaminated" in html


def test_two_editions_side_by_side(run):
    others = [replace(row, out_of_fold=0.985) for row in run.scores if row.name != "ternausnet_pseudo"]
    html = editions(run, "released", others).body
    assert f'data-value="{0.99 - 0.985!r}"' in html
    assert "out of fold, presented" in html and "public, presented" in html
    assert html.count("ternausnet_pseudo") == 1


def test_what_only_the_other_edition_has_is_beside_it_too(run):
    html = editions(replace(run, scores=run.scores[1:]), "released", run.scores[:2]).body
    assert html.count(f">{run.scores[0].name}<") == html.count(f">{run.scores[1].name}<") == 1


def test_the_surest_and_the_least_sure_labels_are_shown(run, drawn, tmp_path, monkeypatch):
    monkeypatch.setattr("carvana.report.rounds.SHOWN", 4)
    html = pseudo_labels(run, labelled(drawn, tmp_path, "network"), tmp_path).body
    surest, least = html.split("The least sure that were taken")
    assert re.findall(r"uncertainty ([\d.]+), by fold0", surest) == ["2.000", "2.140"]
    assert re.findall(r"uncertainty ([\d.]+), by fold0", least) == ["2.560", "2.700"]
