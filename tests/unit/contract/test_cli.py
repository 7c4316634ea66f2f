"""`headwater contract` as a user meets it."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner, Result

from headwater.cli.contract.commands import contract
from tests.unit.contract.conftest import ROOT, SOURCES, Copy

PRODUCT = "viewing_events"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(contract, list(arguments), standalone_mode=False)


@pytest.fixture(autouse=True)
def contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(ROOT / "contracts"))


def test_check_passes_the_projects_own_contracts() -> None:
    result = run("check", "--json")
    assert result.return_value == 0
    document = json.loads(result.output)
    assert document["ok"] is True
    assert [one["product"] for one in document["products"]] == [
        "content_engagement_hourly",
        "departure_delays_hourly",
        "departures",
        "user_preference_features",
        "viewing_events",
        "viewing_features_raw",
    ]


def test_check_exits_1_and_lists_mistakes_of_every_contract(copy: Copy) -> None:
    wrong = copy(
        "viewing_events", ("key: user_id", "key: nobody"), ("partitions: 4", "partitions: 0")
    )
    result = run("check", str(wrong), "departures")
    assert result.return_value == 1
    lines = (wrong / "contract.yaml").read_text().splitlines()
    key, partitions = (
        next(number for number, line in enumerate(lines, 1) if text in line)
        for text in ("key: nobody", "partitions: 0")
    )
    assert f"{wrong / 'contract.yaml'}:{key}:" in result.output
    assert "ok    departures" in result.output
    assert "2 checked, 2 mistakes" in result.output
    document = json.loads(run("check", str(wrong), "--json").output)
    (product,) = document["products"]
    assert [one["line"] for one in product["mistakes"]] == [key, partitions]


def test_an_unknown_product_is_told_the_known_ones() -> None:
    result = run("check", "nothing")
    assert "departures, user_preference_features, viewing_events" in str(result.exception)


def test_show_explain_prints_what_a_contract_compiles_into() -> None:
    text = run("show", "viewing_events", "--explain").output
    assert "retention.ms=-1" in text
    assert "expect_compound_columns_to_be_unique" in text
    assert "watch_duration: in_range(0, 86400)" in text
    assert "viewing_events_v3-payload" in text


def test_show_prints_the_product_as_json() -> None:
    document = json.loads(run("show", "departures", "--json").output)
    assert document["topic"]["envelope"] is False


def test_diff_exits_1_only_when_something_breaks(copy: Copy) -> None:
    harmless = copy("viewing_events", ("version: 1.0.0", "version: 1.1.0"), parent="a")
    breaking = copy("viewing_events", ("key: user_id", "key: profile"), parent="b")
    old = str(SOURCES["viewing_events"])
    assert run("diff", old, str(harmless)).return_value == 0
    result = run("diff", old, str(breaking))
    assert result.return_value == 1
    assert "BREAKING key" in result.output


@pytest.mark.parametrize("command", ["check", "show", "diff"])
def test_help_shows_examples(command: str) -> None:
    assert "Examples:" in run(command, "--help").output


def test_a_derived_table_stands_for_its_product(copy: Copy) -> None:
    table, product = (ROOT / "contracts" / one for one in ("content_engagement_hourly", PRODUCT))
    assert run("show", table.name).output == run("show", PRODUCT).output
    new = copy(PRODUCT, ("partitions: 4", "partitions: 5"))
    shutil.copytree(table, new.parent / table.name, dirs_exist_ok=True)
    diff = run("diff", str(table), str(new.parent / table.name))
    assert "partitions" in diff.output
    assert diff.output == run("diff", str(product), str(new)).output
