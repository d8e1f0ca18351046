import re
import time
from dataclasses import replace

import pytest

from carvana.report.costs import costs
from carvana.report.gains import gains
from carvana.report.group_tables import group_tables
from carvana.report.groups import by_share, summary
from carvana.report.models import models
from carvana.report.overview import overview
from carvana.report.page import Section, page, table
from tests.report.runs import run_of

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
