import pytest
import yaml

from carvana.catalogue import SUBMISSIONS
from carvana.leaderboard.comparison import compare, format_comparison, format_others
from carvana.leaderboard.record import Scored
from carvana.revision import ROOT

PUBLISHED = yaml.safe_load((ROOT / "config" / "published.yaml").read_text())
BEST = PUBLISHED["leaderboard"]["scores"]["ensemble"]["private"]["value"]


def scored(name="ensemble", private=0.997332, competition="carvana-image-masking-challenge"):
    return Scored(name, competition, 7, 0.9971, private, "2017-09-27T00:00:00", "d", f"{name}.csv.gz", "0" * 64)


@pytest.mark.parametrize(
    ("private", "outside"),
    [(0.997332, False), (0.997132, False), (0.997131, True), (0.997532, False), (0.997533, True), (0.0, True)],
)
def test_the_band_is_as_wide_as_published_yaml_says(private, outside):
    public_row, private_row = compare([scored(private=private)], PUBLISHED)
    assert private_row.outside is outside
    assert private_row.difference == pytest.approx(private - 0.997332)
    # The public score is not known, so nothing can be wrong with it.
    assert (public_row.expected, public_row.difference, public_row.outside) == (None, None, False)


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_a_members_own_score_was_never_published_and_that_is_said(name):
    rows = compare([scored(name)], PUBLISHED)
    assert [row.outside for row in rows] == [False, False]
    assert all("no member published" in row.remark for row in rows)


def test_another_competition_has_no_published_scores():
    rows = compare([scored(private=0.1, competition="drawn-cars")], PUBLISHED)
    assert {(row.outside, row.remark) for row in rows} == {
        (False, "nothing is published for the competition drawn-cars")
    }


def test_the_table_shows_expected_measured_and_difference():
    lines = format_comparison(compare([scored(private=0.9960)], PUBLISHED)).splitlines()
    assert lines[0].split() == ["submission", "part", "expected", "measured", "difference", "source"]
    assert lines[1].split()[:5] == ["ensemble", "public", "not", "published", "0.997100"]
    assert lines[2].split()[:6] == ["ensemble", "private", "0.997332±0.0002", "0.996000", "-0.001332", "OUTSIDE"]


def test_every_published_score_has_its_source():
    for parts in PUBLISHED["leaderboard"]["scores"].values():
        assert all(part["source"] for part in parts.values())
        assert all("within" in part for part in parts.values() if part["value"] is not None)
    assert all(other["source"] and 0.99 < other["score"] < BEST for other in PUBLISHED["leaderboard"]["others"])
    assert [line.split()[0] for line in format_others(PUBLISHED).splitlines()][:2] == ["0.997209", "0.997193"]
