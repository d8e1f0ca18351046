"""The page in headless Chromium."""

import shutil
from dataclasses import replace

import pytest

from carvana.geometry import SMALL
from carvana.report.analysis import read_analysis, write_analysis
from carvana.report.out_of_fold_maps import opened_maps
from carvana.report.report import write_report
from tests.report.runs import run_of
from tests.services import install

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no browser can be driven")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(drawn, tmp_path_factory):
    images, stores, masks = drawn
    folder = tmp_path_factory.mktemp("report")
    with opened_maps(stores, "released") as maps:
        write_analysis(images, maps, SMALL, 1, folder / "analysis.csv")
        run = replace(run_of(images.manifest.names, folds=2), images=tuple(read_analysis(folder / "analysis.csv")))
        write_report(run, "drawn", images, maps, masks, "0123456789ab", "", folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser():
    install(["chromium"], ["chromium"])
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(params=[390, 1440])
def opened(request, browser, report):
    """The page, and everything that the browser complained about or asked for."""
    page = browser.new_page(viewport={"width": request.param, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith("data:") else said.append(asked.url))
    page.goto(report.as_uri(), wait_until="load")
    yield page, said
    page.close()


def test_it_opens_without_complaint_and_asks_for_nothing_else(opened, report):
    _, said = opened
    assert said == [report.as_uri()]


def test_all_pictures_load(opened):
    page, _ = opened
    sizes = page.evaluate("Promise.all([...document.images].map(i => i.decode().then(() => i.naturalWidth)))")
    assert len(sizes) > 20
    assert min(sizes) > 100


def test_links_lead_to_photos_that_are_there(opened, report):
    page, _ = opened
    links = page.evaluate("[...document.querySelectorAll('.tiles a')].map(a => a.getAttribute('href'))")
    assert links
    assert all((report.parent / link).is_file() for link in links)


def test_nothing_is_wider_than_the_screen(opened):
    page, _ = opened
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    outside = """[...document.querySelectorAll('section, .tiles img, .plots img, p, h1, h2, h3, dl, nav a')]
        .map(element => element.getBoundingClientRect())
        .filter(box => box.right > window.innerWidth + 1 || box.left < -1).length"""
    assert page.evaluate(outside) == 0


def test_tables_sort_both_ways(opened):
    page, _ = opened
    column = "#models table tbody tr td:nth-child(4)"
    head = page.locator("#models table th").nth(3)
    values = f"[...document.querySelectorAll('{column}')].map(cell => Number(cell.dataset.value))"
    before = page.evaluate(values)
    head.click()
    ascending = page.evaluate(values)
    head.press("Enter")
    descending = page.evaluate(values)
    assert before != ascending
    assert ascending == sorted(before)
    assert descending == sorted(before, reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
