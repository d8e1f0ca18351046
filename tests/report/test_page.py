import re
import statistics
import time
from dataclasses import replace

import pytest

from carvana.report import galleries
from carvana.report.costs import costs
from carvana.report.gains import gains
from carvana.report.group_tables import group_tables
from carvana.report.groups import by_share, summary
from carvana.report.models import models
from carvana.report.overview import overview
from carvana.report.page import Section, page, table
from carvana.verification.document import Verification
from tests.report.runs import analysed_as, run_of

FULL = tuple(f"{car:012x}_{view:02}.jpg" for car in range(318) for view in range(1, 17))


def test_words_are_no_markup():
    run = run_of(FULL[:32])
    parts = [overview(run, "<i>commit", ""), models(run), gains(run), costs(run)]
    html = page("<script>", "a & b", parts)
    assert "<i>commit" not in html
    assert "<script>alert" not in html
    assert "(Pascal) <b>" not in html
    assert "<title>&lt;script&gt;</title>" in html


def test_the_page_asks_no_network_for_anything():
    html = page("run", "lead", [Section("a", "A", group_tables(run_of(FULL[:32])))])
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html)
    assert not re.search(r"@import|url\(|https?://", re.sub(r'"data:[^"]*"', "", html))


def test_numbers_sort_by_their_value_not_by_what_is_shown():
    html = table(("name", "dice"), [("a", 0.12345678), ("b", None)], failing=[False, True])
    assert 'data-value="0.12345678">0.1235<' in html
    assert html.count("class=fails") == 1
    assert ">–<" in html


def test_the_verdict_and_kaggles_scores_are_at_the_top():
    html = overview(run_of(FULL[:32]), "0123456789ab", "sha256:" + "1" * 64).body
    assert "does not hold: 1 of 2 checks fail: leaderboard: ensemble: private" in html
    assert "0.997310" in html
    assert "0.997332" in html
    assert "not submitted" not in html
    assert "not submitted" in overview(run_of(FULL[:32], scored=False), "0123456789ab", "").body


def test_imported_networks_are_told_and_cost_nothing():
    run = run_of(FULL[:32])
    networks = [replace(one, history=(), timings={}) if one.model == "ternausnet" else one for one in run.networks]
    run = replace(run, networks=tuple(networks))
    assert "49, 5 of them imported" in overview(run, "0123456789ab", "").body
    assert '<tr><td class="name">training</td><td class="number" data-value="44">44</td>' in costs(run).body
    assert models(run).body


def test_costs_are_the_sums_of_the_jobs():
    html = costs(run_of(FULL[:32])).body
    rows = re.findall(r"<tr><td class=\"name\">(\w+)</td>(.*?)</tr>", html)
    cells = {stage: re.findall(r">([^<]*)</td>", cells) for stage, cells in rows[:3]}
    # 49 trainings of two hours with 2 threads and 2 loading processes; a prediction shows each image to 5 networks.
    assert cells["training"][:1] + cells["training"][3:5] == ["49", "98.00", "392.00"]
    assert cells["prediction"][:1] + cells["prediction"][3:6] == ["2", "4.00", "8.00", "320"]


def test_the_hours_of_several_gpus_are_all_counted():
    run = run_of(FULL[:32])
    divided = replace(run.networks[0], timings={**run.networks[0].timings, "gpus": 4})
    html = costs(replace(run, networks=(divided, *run.networks[1:]))).body
    row, *_ = re.findall(r"<tr><td class=\"name\">training</td>(.*?)</tr>", html)
    # 48 trainings of two hours on one GPU, and one on four.
    assert re.findall(r">([^<]*)</td>", row)[3] == "104.00"


def test_groups_by_share_are_of_equal_size_and_lose_no_image():
    rows = run_of(FULL[:48]).images
    groups = by_share(rows, 5)
    assert [group.count for group in groups.values()] == [9, 10, 9, 10, 10]
    assert summary([0.5]).deviation == 0


@pytest.mark.slow
def test_the_numbers_of_5088_images_take_seconds():
    """As large as a report gets: 49 networks, hundreds of epochs, every training image."""
    run = run_of(FULL, epochs=250)
    start = time.monotonic()
    parts = [overview(run, "c", ""), models(run), gains(run), costs(run)]
    html = page("run", "lead", [*parts, Section("errors", "Errors", group_tables(run))])
    assert time.monotonic() - start < 60
    assert len(html) < 4e6


def cells(html, first, *more):
    """The first row that begins with these cells: what it shows after them."""
    begin = [first, *more]
    rows = (re.findall(r">([^<]*)</td>", row) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", html))
    return next(row[len(begin) :] for row in rows if row[: len(begin)] == begin)


def test_a_networks_figures_are_in_the_columns_of_their_names():
    run = run_of(FULL[:32])
    dice = next(one.dice for one in run.networks if (one.model, one.fold) == ("ternausnet", 0))
    shown = [f"{value:.4f}" for value in (statistics.fmean(dice), statistics.stdev(dice), min(dice))]
    # Of 20 epochs the last was not selected; 120 images a minute.
    expected = ["trained", *shown, str(len(dice)), "20", "19", "120.0", "2.0", "2.00", "11.00"]
    assert cells(models(run).body, "ternausnet", "0") == expected


def test_a_stages_rate_and_memory_are_in_the_columns_of_their_names():
    # 49 networks of 20 epochs with 150 images each, in 98 hours.
    assert cells(costs(run_of(FULL[:32])).body, "training")[5:] == ["147000", "0.4", "2.00", "11.00"]


def test_what_the_parts_and_the_rule_are_worth():
    better = analysed_as(FULL[0], ensemble=0.95, rule_acted=1)
    images = (better, analysed_as(FULL[1], rule_acted=1), analysed_as(FULL[2], without_albu=0.6, ternausnet=0.3))
    html = gains(replace(run_of(FULL[:32]), images=images)).body
    assert cells(html, "without albu") == ["0.8000", "-0.1000"]
    assert cells(html, "without ternaus") == ["0.9000", "0.0000"]
    assert cells(html, "ternausnet alone") == ["0.7000", "-0.2000"]
    assert [cells(html, what) for what in ("on, as submitted", "off", "difference")] == [
        ["0.9167"],
        ["0.9000"],
        ["0.0167"],
    ]
    assert "The rule acted on 2 of 3 training images; it made 1 of them better." in html


def test_every_score_of_the_ensemble_is_its_own_and_of_its_part():
    run = run_of(FULL[:32])
    ensemble, member = run.scores[-1], replace(run.scored[0], name="ternaus", public=0.1, private=0.2)
    scores = (*run.scores[:-1], replace(ensemble, public=0.98, private=0.97))
    html = overview(replace(run, scores=scores, scored=(member, *run.scored)), "c", "").body
    assert cells(html, "public test images, truth at hand")[0] == "0.980000"
    assert cells(html, "private test images, truth at hand")[0] == "0.970000"
    assert cells(html, "public, at Kaggle")[0] == "0.997100"
    assert cells(html, "private, at Kaggle")[0] == "0.997310"


def test_what_was_computed_with_and_how_long_is_told():
    run = run_of(FULL[:32])
    html = overview(run, "c", "").body
    # 49 trainings, a validation and two predictions of two hours each.
    assert "<dt>hours, all jobs</dt><dd>104.0</dd>" in html
    assert "<dt>GPU</dt>" in html and "small run" not in html
    networks = [
        replace(
            network,
            timings={**network.timings, "device": "cpu"},
            conditions={**network.conditions, "geometry": "small"},
        )
        for network in run.networks
    ]
    html = overview(replace(run, networks=tuple(networks)), "c", "").body
    assert "<dt>GPU: none; CPU</dt>" in html
    assert "This is a small run" in html


def test_a_run_whose_scores_nobody_judged_is_not_said_to_hold():
    run = run_of(FULL[:32])
    html = overview(replace(run, verification=Verification(run.verification.checks[:1], {})), "c", "").body
    assert "Nothing fails, but no score was compared with anything: 1 of 1 checks hold" in html
    assert "The reproduction holds" not in html


def test_the_worst_images_and_the_most_contradicted_masks_come_first():
    images = (
        analysed_as(FULL[0], ensemble=0.95, against=0.1),
        analysed_as(FULL[1], ensemble=0.85, against=0.3),
        analysed_as(FULL[2], ensemble=0.9, against=0.0),
    )
    run, drawn = replace(run_of(FULL[:32]), images=images), []

    def draw(rows):
        drawn.append([row.img for row in rows])
        return ()

    galleries.worst(run, draw)
    html = galleries.audit(run, draw, "mask_audit.csv").body
    assert drawn == [[FULL[1], FULL[2], FULL[0]], [FULL[1], FULL[0]]]
    assert cells(html, FULL[1]) == ["0.3000", "3", "4", "0.8500"]


def test_groups_of_cars_have_their_figures():
    images = [analysed_as(name, ensemble=dice) for name, dice in ((FULL[0], 0.8), (FULL[1], 1.0), (FULL[16], 0.7))]
    run = replace(run_of(FULL[:32]), images=tuple(images), metadata={FULL[0][:12]: ("Audi", "2012")})
    html = group_tables(run)
    assert cells(html, "Audi") == cells(html, "2012") == ["2", "0.9000", "0.1414", "0.8000"]
    assert cells(html, "not in metadata.csv") == ["1", "0.7000", "0.0000", "0.7000"]
