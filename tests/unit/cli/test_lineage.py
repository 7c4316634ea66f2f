"""`headwater lineage` without a cell: what contracts say, as text, as JSON and as pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from headwater.cli.lineage.commands import lineage
from headwater.cli.lineage.render import PageUnwritableError
from headwater.cli.options import ProductNotFoundError
from pipeline.contract.lineage.trace import trace_origins
from pipeline.contract.load import load_product
from pipeline.settings import PROJECT


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(PROJECT / "contracts"))
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(lineage, list(arguments), standalone_mode=False)


def test_a_product_is_a_tree_of_tables_and_lists_of_columns() -> None:
    said = run("viewing_events").output
    assert "viewing_events 1.0.0: viewing-platform (viewing)" in said
    assert "│     └─ user_preference_features (feature table): 14 columns" in said
    row = next(line for line in said.splitlines() if line.startswith("  runtime_s"))
    assert "content.runtime_s, topic.content_id" in row


def test_json_tells_of_each_column_what_the_trace_says() -> None:
    document = json.loads(run("viewing_events", "--json").output)
    assert document["cell"] is None
    product = load_product(PROJECT / "contracts" / "viewing_events")
    table = next(one for one in document["tables"] if one["name"] == "user_preference_features")
    roots = {
        f"{one['name']}.{column['name']}"
        for one in document["tables"]
        for column in one["columns"]
        if not column["made_from"]
    }
    origins = trace_origins(product, "user_preference_features")
    for column in table["columns"]:
        if column["name"] in origins:
            ends = {f"{one.table}.{one.column}" for one in origins[column["name"]]}
            assert set(column["leads_to_it"]) & roots == ends
    assert {one["state"]: one["events"] for one in document["states"]}["Raw"] is None
    assert {one["property"] for one in document["objectives"]} >= {"freshness", "latency"}


def test_all_products_are_pages_and_an_index_that_links_them(tmp_path: Path) -> None:
    site = tmp_path / "deep" / "site"
    result = run("--html", str(site))
    assert result.return_value == 0
    assert {one.name for one in site.iterdir()} == {
        "index.html",
        "departures.html",
        "viewing_events.html",
    }
    assert 'href="viewing_events.html"' in (site / "index.html").read_text()
    assert 'href="index.html"' in (site / "departures.html").read_text()
    assert [one["product"] for one in json.loads(run("--json").output)] == [
        "departures",
        "viewing_events",
    ]


def test_one_product_is_one_file(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    assert json.loads(run("departures", "--html", str(file), "--json").output) == {
        "files": [str(file)]
    }
    assert "index.html" not in file.read_text()


def test_what_cannot_be_done_is_named(tmp_path: Path) -> None:
    assert isinstance(run("viewing_event").exception, ProductNotFoundError)
    found = run("departures", "--html", str(tmp_path)).exception
    assert isinstance(found, PageUnwritableError)
    assert str(tmp_path) in str(found)
