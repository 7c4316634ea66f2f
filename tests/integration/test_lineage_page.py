"""A product's page in a real browser: no network, no error, and what lights up is what the trace says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pipeline.contract.lineage.graph import LineageGraph, lineage_graph
from pipeline.contract.lineage.sources import SourceColumn
from pipeline.contract.load import load_products
from pipeline.contract.model import Product
from pipeline.settings import PROJECT
from quality.lineage.drawing import SHOWN, columns_of
from quality.lineage.page import render_page
from tests.support.browser import ARGUMENTS, CHROMIUM

VIEWING = next(one for one in load_products(PROJECT / "contracts") if one.name == "viewing_events")
GRAPH = lineage_graph(VIEWING)
HOSTILE = "</script><img src=x onerror=\"document.title='taken'\">{{ 7 * 7 }}'&amp;"


CONTRASTS = """() => {
  const channels = text => text.match(/[\\d.]+/g).map(Number);
  const light = text => channels(text).slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const ratio = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = getComputedStyle(document.body).backgroundColor;
  const pairs = [...document.querySelectorAll("h1, .purpose, .facts b, #said, .key li, footer")]
    .map(one => [one.className || one.tagName, getComputedStyle(one).color, ground]);
  for (const name of ["chosen", "up", "down"]) {
    const column = document.querySelector(`svg .column.${name}`);
    pairs.push([name, getComputedStyle(column.querySelector("text")).fill,
      getComputedStyle(column.querySelector(".row")).fill]);
  }
  return pairs.filter(([, ink, paper]) => ratio(ink, paper) < 4.5);
}"""
"""Texts of the page whose contrast is below what WCAG 2 asks for (AA)."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Opened:
    """A page without a network, and what went wrong in it."""

    def __init__(self, browser: Browser, file: Path) -> None:
        self.page: Page = browser.new_context(offline=True).new_page()
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(file.as_uri())

    def search(self, text: str) -> None:
        self.page.get_by_label("Find a column").fill(text)

    def lit(self) -> dict[str, set[str]]:
        """Return the numbers of the columns that stand out, by how."""
        found: dict[str, list[str]] = self.page.evaluate(
            """() => Object.fromEntries(["chosen", "up", "down"].map(name => [name,
            [...document.querySelectorAll(`svg .column.${name}`)].filter(one => one.checkVisibility())
            .map(one => one.dataset.column)]))"""
        )
        return {name: set(numbers) for name, numbers in found.items()}


def write(folder: Path, product: Product, graph: LineageGraph) -> Path:
    file = folder / "page.html"
    file.write_text(render_page(product, graph))
    return file


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(browser, write(tmp_path, VIEWING, GRAPH))
    yield opened
    assert opened.wrong == []
    assert len(opened.asked) == 1, "the file itself"


def test_of_every_column_exactly_what_leads_to_it_and_comes_of_it_stands_out(
    opened: Opened,
) -> None:
    columns = columns_of(GRAPH)
    number = {column: str(place) for place, column in enumerate(columns)}
    for column in columns:
        opened.search(f"{column.table}.{column.column}")
        assert opened.lit() == {
            "chosen": {number[column]},
            "up": {number[one] for one in GRAPH.leads_to(column)},
            "down": {number[one] for one in GRAPH.comes_of(column)},
        }, column


def test_a_part_of_a_name_finds_every_column_that_has_it(opened: Opened) -> None:
    opened.search("TIMESTAMP")
    columns = columns_of(GRAPH)
    named = {str(n) for n, one in enumerate(columns) if one.column == "timestamp"}
    assert opened.lit()["chosen"] == named
    opened.search("affin")
    expect(opened.page.get_by_role("option")).to_have_count(4)
    opened.search("no such column")
    expect(opened.page.get_by_role("status")).to_have_text("No column has such a name.")
    assert not any(opened.lit().values())


def test_all_is_done_by_the_keyboard(opened: Opened) -> None:
    page = opened.page
    page.locator("#graph").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("events.content_id: 1 column leads to it")
    assert page.evaluate("decodeURIComponent(location.hash)") == "#events.content_id"
    page.keyboard.press("/")
    page.keyboard.type("affin")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Find a column")).to_have_value(
        "user_preference_features.genre_affinity"
    )
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.keyboard.press("Escape")
    assert not any(opened.lit().values())


def test_an_address_names_a_column_and_a_press_chooses_one(opened: Opened) -> None:
    page = opened.page
    page.goto(f"{page.url.split('#')[0]}#viewing_features_raw.session_id")
    page.reload()
    said = page.get_by_role("status")
    expect(said).to_have_text(
        "viewing_features_raw.session_id: 4 columns lead to it, 1 column comes of it."
    )
    page.locator("svg .column", has_text="completion_rate").first.click()
    expect(said).to_contain_text("user_preference_features.completion_rate")
    page.locator("[data-more=dead_letters]").click()
    expect(page.locator("[data-table=dead_letters] .column:visible")).to_have_count(15)
    page.goto(f"{page.url.split('#')[0]}#table-events")
    page.reload()
    expect(page.locator("[id=table-events]")).to_have_attribute("open", "")
    page.goto(f"{page.url.split('#')[0]}#%zz")
    page.reload()
    expect(said).to_contain_text("Type a column's name")
    opened.asked = opened.asked[:1]


def test_words_stand_out_from_their_ground_in_light_and_in_dark(opened: Opened) -> None:
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        opened.search("viewing_features_raw.session_id")
        poor = opened.page.evaluate(CONTRASTS)
        assert poor == [], scheme


def test_a_wide_product_shows_what_is_looked_for_and_little_else(
    browser: Browser, tmp_path: Path
) -> None:
    graph = widened(GRAPH, 400)
    opened = Opened(browser, write(tmp_path, VIEWING, graph))
    shown = opened.page.locator("[data-table=events] .column:visible")
    expect(shown).to_have_count(SHOWN)
    opened.search("events.wide_399")
    expect(shown).to_have_count(1)
    assert len(opened.lit()["up"]) == 1
    took = opened.page.evaluate(
        "() => { const at = performance.now(), box = document.getElementById('search');"
        "box.value = 'wide'; box.dispatchEvent(new Event('input')); return performance.now() - at; }"
    )
    assert took < 2_000, "ms; tens on a machine at rest"
    assert opened.wrong == []


def test_what_contracts_say_is_text_whatever_it_is(browser: Browser, tmp_path: Path) -> None:
    tables = tuple(
        replace(
            table,
            name=f"{HOSTILE}{number}",
            owner=HOSTILE,
            description=HOSTILE,
            reads=(),
            columns=tuple(
                replace(
                    one,
                    name=f"{HOSTILE}{place}",
                    type=HOSTILE,
                    description=HOSTILE,
                    tags=(HOSTILE,),
                )
                for place, one in enumerate(table.columns)
            ),
        )
        for number, table in enumerate(GRAPH.tables)
    )
    product = VIEWING.model_copy(
        update={"name": HOSTILE, "owner": HOSTILE, "description": HOSTILE, "domain": HOSTILE}
    )
    graph = LineageGraph(HOSTILE, tables, ())
    opened = Opened(browser, write(tmp_path, product, graph))
    page = opened.page
    assert page.title() == f"{HOSTILE}: lineage"
    expect(page.get_by_role("heading", level=1)).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0
    first = columns_of(graph)[0]
    opened.search(f"{first.table}.{first.column}")
    expect(page.get_by_role("status")).to_contain_text(f"{first.table}.{first.column}")
    assert opened.lit()["chosen"] == {"0"}
    assert opened.wrong == []
    assert len(opened.asked) == 1


def widened(graph: LineageGraph, count: int) -> LineageGraph:
    """Return a graph whose topic and events have `count` columns more."""
    more = [graph.edges[0]] * count
    named = {"topic", "events"}
    tables = tuple(
        replace(
            table,
            columns=(
                *table.columns,
                *(replace(table.columns[0], name=f"wide_{n}") for n in range(count)),
            ),
        )
        if table.name in named
        else table
        for table in graph.tables
    )
    edges = (
        replace(
            edge,
            column=SourceColumn("events", f"wide_{n}"),
            source=SourceColumn("topic", f"wide_{n}"),
        )
        for n, edge in enumerate(more)
    )
    return LineageGraph(graph.product, tables, (*graph.edges, *edges))
