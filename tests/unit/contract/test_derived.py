"""Derived tables with a contract of their own: joined to their product, or refused by line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.contract.checks.warnings import warnings
from pipeline.contract.load import ContractError, load_product, load_products
from pipeline.contract.model import DerivedTable
from tests.unit.contract.conftest import ROOT

NAMES = (
    "viewing_events",
    "content_engagement_hourly",
    "viewing_features_raw",
    "user_preference_features",
)


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    for name in NAMES:
        shutil.copytree(ROOT / "contracts" / name, tmp_path / name)
    return tmp_path


def edit(contracts: Path, name: str, old: str, new: str) -> None:
    file = contracts / name / "contract.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


def mistakes(contracts: Path) -> str:
    with pytest.raises(ContractError) as caught:
        load_products(contracts)
    return "\n".join(str(one) for one in caught.value.mistakes)


def test_a_folder_is_all_that_a_derived_table_needs(contracts: Path) -> None:
    with_it = load_product(contracts / "viewing_events")
    assert [one.name for one in with_it.derived_tables][-2:] == [
        "viewing_features_raw",
        "user_preference_features",
    ], "each after what it reads, whatever the folders' order"
    shutil.rmtree(contracts / "user_preference_features")
    without = load_product(contracts / "viewing_events")
    assert {one.name for one in with_it.derived_tables} - {
        one.name for one in without.derived_tables
    } == {"user_preference_features"}


def test_a_derived_table_has_an_owner_version_and_objectives_of_its_own(contracts: Path) -> None:
    edit(contracts, "user_preference_features", "version: 1.0.0", "version: 7.1.0")
    product = load_product(contracts / "viewing_events")
    table = product.derived_tables[-1]
    assert (table.version, product.version) == ("7.1.0", "1.0.0")
    assert table.owner != product.owner
    assert any(slo.element == table.name and slo.property == "latency" for slo in product.slos)


def test_logic_says_that_it_computes_a_range(contracts: Path) -> None:
    name = "content_engagement_hourly"

    def logic(of: str) -> tuple[str, str]:
        tables = load_product(contracts / "viewing_events").derived_tables
        (found,) = (one.logic for one in tables if one.name == of)
        return found.language, found.incremental_by

    assert logic(name) == ("sql", "hour")
    assert logic("viewing_features_raw") == ("python", "timeRange")
    edit(contracts, name, "sql: build.sql", "sql: build.sql\n          incrementalBy: timeRange")
    assert logic(name) == ("sql", "timeRange")


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            "user_preference_features",
            "column: completion_rate, most",
            "column: user_id, most",
            "a column without personal data, not 'user_id'",
        ),
        ("viewing_features_raw", "of: viewing_events", "of: nobody", "not 'nobody'"),
        ("viewing_features_raw", "back: 1", "back: 0", "cannot be read before it is built"),
        ("viewing_features_raw", "[content, time_zones]", "[content, moon]", "not 'moon'"),
        ("viewing_features_raw", "python: build.py", "python: absent.py", "No such file"),
        ("viewing_features_raw", "python: build.py", "sql: build.py", "`python`"),
        (
            "viewing_features_raw",
            "hours: 1, back: 1",
            "hours: 2, back: 1",
            "`hour`: a table that reads itself computes a range",
        ),
        (
            "viewing_features_raw",
            "- {table: events}",
            "- {table: events}\n            - {table: content_engagement_hourly}",
            "`hour`: a table that reads itself computes a range",
        ),
        (
            "content_engagement_hourly",
            "sql: build.sql",
            "sql: build.sql\n          incrementalBy: range",
            "incrementalBy",
        ),
        ("viewing_features_raw", "- name: viewing_features_raw", "- name: other", "as the folder"),
        (
            "user_preference_features",
            "table: viewing_features_raw,",
            "table: events_raw,",
            "one of",
        ),
        ("user_preference_features", "entity: [user_id,", "entity: [account,", "not 'account'"),
        ("user_preference_features", "[viewing_features_raw.user_id]", "[users.id]", "'users.id'"),
        ("user_preference_features", "ttl: 7d", "ttl: soon", "ttl"),
        (
            "user_preference_features",
            "- name: mean_completion",
            "- name: known_from",
            "no column 'known_from'",
        ),
    ],
)
def test_what_does_not_fit_together_is_named_in_the_contract_that_says_it(
    contracts: Path, name: str, old: str, new: str, expected: str
) -> None:
    edit(contracts, name, old, new)
    found = mistakes(contracts)
    assert expected in found
    assert f"{name}/contract.yaml" in found


@pytest.mark.parametrize(
    ("taken", "by"),
    [
        ("viewing_features_raw_watermark", "the watermark of viewing_features_raw"),
        ("user_preference_features_history", "the history of user_preference_features"),
        ("content", "reference data"),
    ],
)
def test_a_derived_table_is_not_named_as_what_comes_with_another(
    contracts: Path, taken: str, by: str
) -> None:
    shutil.copytree(contracts / "viewing_features_raw", contracts / taken)
    document = contracts / taken / "contract.yaml"
    document.write_text(document.read_text().replace("viewing_features_raw", taken))
    assert f"another name: {by} has it" in mistakes(contracts)


def test_python_that_does_not_parse_or_lacks_its_function_is_refused_by_line(
    contracts: Path,
) -> None:
    build = contracts / "viewing_features_raw" / "build.py"
    text = build.read_text()
    build.write_text(text + "\ndef (:\n")
    line = len(text.splitlines()) + 2
    assert f"build.py:{line}" in mistakes(contracts)
    build.write_text(text.replace("def build(", "def make("))
    assert "a function `build(inputs)`" in mistakes(contracts)
    build.write_text(text.replace("SCHEMA = ", "COLUMNS = "))
    assert "`SCHEMA`" in mistakes(contracts)


def test_tables_that_read_each_other_in_a_circle_are_refused(contracts: Path) -> None:
    edit(
        contracts,
        "viewing_features_raw",
        "- {table: events}",
        "- {table: content_engagement_hourly}",
    )
    edit(
        contracts,
        "content_engagement_hourly",
        "sql: build.sql",
        "sql: build.sql\n          reads: [{table: viewing_features_raw}]",
    )
    assert "circle" in mistakes(contracts)


def test_a_table_in_the_products_own_contract_works_and_is_told_how_to_move() -> None:
    product = load_product(ROOT / "tests/data/cases/null_partition/only/nullpart")
    (table,) = product.derived_tables
    assert (table.name, table.folder, table.owner) == ("id_counts", product.folder, product.owner)
    (warned,) = warnings(product)
    assert "- name: id_counts" in warned.file.read_text().splitlines()[warned.line - 1]
    assert "id_counts/contract.yaml with `of: nullpart`" in warned.expected


def test_moving_a_table_into_a_folder_of_its_own_changes_nothing_else(contracts: Path) -> None:
    moved = load_product(contracts / "viewing_events")
    own, product = (
        contracts / name / "contract.yaml"
        for name in ("content_engagement_hourly", "viewing_events")
    )
    table, _, objectives = own.read_text().split("schema:\n")[1].partition("\nslaProperties:\n")
    head, _, tail = product.read_text().partition("\nslaProperties:\n")
    product.write_text(f"{head}\n{table}\nslaProperties:\n{tail}{objectives}")
    shutil.copy(own.parent / "build.sql", product.parent)
    shutil.rmtree(own.parent)
    inside = load_product(contracts / "viewing_events")
    assert set(inside.slos) == set(moved.slos)
    assert {one.name: _placeless(one) for one in inside.derived_tables} == {
        one.name: _placeless(one) for one in moved.derived_tables
    }


def _placeless(table: DerivedTable) -> DerivedTable:
    nowhere = Path()
    logic = table.logic.model_copy(update={"file": nowhere})
    return table.model_copy(update={"folder": nowhere, "logic": logic})
