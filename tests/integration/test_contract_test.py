"""`headwater contract test`: logic on rows that are given, in one session, with no cell."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from headwater.project.scaffold import make_project, plan_project
from pipeline.settings import PROJECT
from tests.support.commands import Command

PYTHON = """
from pyspark.sql import functions as sf


def build(inputs):
    '''Rank countries by what the hour and the one before it had.'''
    sums = inputs.tables["orders_by_country"].groupBy("country").agg(sf.sum("amount").alias("amount"))
    return sums.where("amount > 10").select("country", sf.col("amount").cast("double").alias("amount"))
"""
RANGE = """
SELECT country, date_trunc('HOUR', _event_time) AS hour, CAST(count(*) AS double) AS amount
FROM events GROUP BY country, date_trunc('HOUR', _event_time)
"""
TESTS = """tests:
  - name: passes
    hour: 2026-01-05T10
    given:
      orders_by_country:
        - {country: DE, amount: 8}
        - {country: DE, amount: 4.25, hour: 2026-01-05T09}
        - {country: FR, amount: 8}
        - {country: FR, amount: 8, hour: 2026-01-05T08}
    expect:
      - {hour: 2026-01-05T10, country: DE, amount: 12.25}
  - name: fails
    hour: 2026-01-05T10
    given:
      orders_by_country: [{country: DE, amount: 20.1}, {country: IT, amount: 30}]
    expect:
      - {country: DE, amount: 20}
      - {country: IT, amount: 30}
  - name: comes near enough
    hour: 2026-01-05T10
    given:
      orders_by_country: [{country: DE, amount: 20.1}]
    expect: [{amount: 20}]
    tolerance: 0.2
  - name: is of another type
    hour: 2026-01-05T10
    given:
      orders_by_country: [{country: DE, amount: many}]
    expect: []
  - name: has another column
    hour: 2026-01-05T10
    expect: [{contry: DE}]
"""
OF_RANGE = """tests:
  - name: two hours at once
    hour: 2026-01-05T10
    hours: 2
    given:
      events:
        - {country: DE, placed_at: 2026-01-05T10:59:59.999999}
        - {country: DE, placed_at: 2026-01-05T11:00:00}
        - {country: DE}
        - {country: DE, placed_at: 2026-01-05T12:00:00}
    expect:
      - {hour: 2026-01-05T10, country: DE, amount: 2}
      - {hour: 2026-01-05T11, country: DE, amount: 1}
"""
SETTINGS = {
    "large": "python: build.py\n          reads: [{table: orders_by_country, hours: 2}]",
    "by_range": "sql: build.sql\n          incrementalBy: timeRange",
}


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """The contracts of this repository, and a new project's with two tables more."""
    make_project(plan_project(tmp_path / "shop"))
    folder = tmp_path / "shop" / "contracts"
    stated = (folder / "orders_by_country" / "contract.yaml").read_text()
    for name, settings in SETTINGS.items():
        text = stated.replace("orders_by_country", name).replace("sql: build.sql", settings)
        before, _, after = text.partition("      - name: orders\n")
        text = before + "      - name: amount\n" + after.partition("      - name: amount\n")[2]
        (folder / name / "tests").mkdir(parents=True)
        (folder / name / "contract.yaml").write_text(
            text.replace("transformSourceObjects: [events.country]", "").replace(
                "transformSourceObjects: [events.amount]", ""
            )
        )
    (folder / "large" / "build.py").write_text(PYTHON)
    (folder / "large" / "tests" / "large.yaml").write_text(TESTS)
    (folder / "by_range" / "build.sql").write_text(RANGE)
    (folder / "by_range" / "tests" / "range.yaml").write_text(OF_RANGE)
    shutil.copytree(PROJECT / "contracts", folder, dirs_exist_ok=True)
    return folder


def test_logic_is_held_to_the_rows_that_its_tests_expect(contracts: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = Command(home, contracts).start("contract", "test", "--json").result(within_s=280)
    assert done.code == 1, done.err
    document = done.json
    ended: dict[str, dict[str, Any]] = {
        f"{one['table']}: {one['name']}": one for one in document["tests"]
    }
    wrong = {name: one for name, one in ended.items() if not one["passed"]}
    assert wrong.keys() == {"large: fails", "large: is of another type"}, wrong
    own = {one.parent.name for one in (PROJECT / "contracts").glob("*/tests")}
    assert own | {"orders_by_country", "large", "by_range"} == {
        one["table"] for one in ended.values()
    }

    fails, mistaken = wrong.values()
    assert fails["missing"] == [{"line": 17, "row": {"country": "DE", "amount": 20.0}}]
    assert fails["unexpected"] == [{"country": "DE", "amount": 20.1}]
    (mistake,) = mistaken["mistakes"]
    assert (mistake["line"], mistake["column"]) == (28, 41)
    assert mistake["expected"] == "a value of type decimal(20,2), not 'many'"
    (unread,) = document["mistakes"]
    assert unread["expected"].endswith("not 'contry'; did you mean country?")
    assert [*home.glob("cells")] == [], "no cell is made"
