"""What is wrong with a derived table's SQL is told by file, line and column, before any Spark sees it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.contract.checks.product_check import check_product
from pipeline.contract.load import load_product
from pipeline.contract.source.mistakes import Findings
from tests.unit.contract.conftest import ROOT

TABLE = "content_engagement_hourly"


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    for name in ("viewing_events", TABLE):
        shutil.copytree(ROOT / "contracts" / name, tmp_path / name)
    return tmp_path


def found(contracts: Path) -> Findings:
    return check_product(load_product(contracts / "viewing_events"))


def edit(file: Path, old: str, new: str) -> None:
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


def place(file: Path, text: str) -> tuple[int, int]:
    """Return line and column of the only place where `text` stands, both from 1."""
    assert file.read_text().count(text) == 1
    before = file.read_text()[: file.read_text().index(text)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


@pytest.mark.parametrize(
    ("old", "new", "at", "expected"),
    [
        ("FROM events", "FORM events", "", "SQL of Spark's"),
        ("GROUP BY content_id, region", "GROUP BY content_id, region)", "", "SQL of Spark's"),
        ("max(title) AS title", "max(title AS title", "", "SQL of Spark's"),
        ("max(title) AS title", "max('title) AS title", "", "SQL"),
        ("SELECT\n  content_id", "DELETE FROM events; SELECT\n  content_id", "", "one SELECT"),
        ("SELECT\n  content_id", "SELECT 1; SELECT\n  content_id", "", "one SELECT, not 2 statements"),
        ("FROM events", "FROM evnts", "evnts", "not 'evnts'"),
        ("FROM events", "FROM events JOIN time_zones t ON t.region = events.region", "time_zones",
         "`reads` and `references`"),
        ("max(title)", "max(titel)", "titel", "not 'titel'"),
        ("count(DISTINCT user_id)", "count(DISTINCT events.user)", "events.user)", "a column of events"),
        ("max(genre)", "max(profile.plan)", "profile.plan", "no part of what is string"),
        ("GROUP BY content_id, region", "WHERE views > 1 GROUP BY content_id, region", "views > 1",
         "not 'views'"),
        ("max(title) AS title", "(SELECT max(t) FROM (SELECT title AS t2 FROM events)) AS title",
         "t) FROM", "not 't'"),
        ("count(*) AS views", "cuont(*) AS views", "cuont", "did you mean count?"),
        ("max(title) AS title", "max_title(title) AS title", "max_title", "a function of Spark's"),
        ("count(*) AS views", "count(*) + CAST(rand() * 0 AS INT) AS views", "rand()", "rand does not"),
        ("max(genre)", "concat(max(genre), uuid())", "", "uuid does not"),
        ("count(*) AS views", "count(*) FILTER (WHERE timestamp < current_timestamp()) AS views",
         "current_timestamp", "current_timestamp does not"),
        ("max(genre) AS genre", "max(genre) AS genre, now() AS at", "now()", "does not"),
        ("max(title) AS title", "title", "", "in GROUP BY"),
        ("GROUP BY content_id, region", "GROUP BY content_id", "", "in GROUP BY"),
        ("GROUP BY content_id, region", "", "content_id,", "in GROUP BY"),
        ("max(genre) AS genre", "max(genre) AS genre, max(timestamp) AS hour", "", "no column 'hour'"),
        ("max(genre) AS genre", "max(genre) AS genre, max(device_type) AS device", "max(device_type)",
         "contract.yaml has a property for; not 'device'"),
    ],
)  # fmt: skip
def test_sql_that_spark_would_refuse_or_that_changes_is_a_mistake_in_its_file(
    contracts: Path, old: str, new: str, at: str, expected: str
) -> None:
    file = contracts / TABLE / "build.sql"
    edit(file, old, new)
    mistakes = [one for one in found(contracts).mistakes if one.file == file]
    assert any(expected in one.expected for one in mistakes), mistakes
    (told, *_) = (one for one in mistakes if expected in one.expected)
    assert told.line >= 1
    if at:
        assert (told.line, told.column) == place(file, at)
        assert str(told).startswith(f"{file}:{told.line}:{told.column}: ")


@pytest.mark.parametrize(
    ("file", "old", "new", "at", "expected"),
    [
        ("contract.yaml", "- name: views", "- {name: seen, logicalType: integer}\n      - name: views",
         "name: seen", "a column that build.sql gives"),
        ("contract.yaml", "- name: views\n        logicalType: integer",
         "- name: views\n        logicalType: string",
         "logicalType: string\n        description: Number of v", "bigint; not 'string'"),
        ("contract.yaml", "- name: region\n        logicalType: string",
         "- name: region\n        logicalType: timestamp", "logicalType: timestamp", "not 'timestamp'"),
        ("contract.yaml", "[events.user_id]", "[events.userid]", "transformSourceObjects: [events.userid]",
         "not 'userid'"),
        ("contract.yaml", "[events.user_id]", "[events.region]",
         "transformSourceObjects: [events.region]\n        quality:\n          - type: custom\n"
         "            engine: greatExpectations\n            implementation:\n"
         "              type: expect_column_values_to_be_between\n              kwargs: {min_value: 1}\n"
         "      - name: watch", "events.user_id too"),
        ("contract.yaml", "element: content_engagement_hourly", "element: content_engagement",
         "element: content_engagement\n", "not 'content_engagement'"),
    ],
)  # fmt: skip
def test_a_contract_that_says_otherwise_than_its_sql_is_a_mistake_at_its_line(
    contracts: Path, file: str, old: str, new: str, at: str, expected: str
) -> None:
    edit(contracts / TABLE / file, old, new)
    contract = contracts / TABLE / "contract.yaml"
    told = [one for one in found(contracts).mistakes if expected in one.expected]
    assert [(one.file, one.line) for one in told] == [(contract, place(contract, at)[0])]


@pytest.mark.parametrize(
    "select",
    [
        "WITH e AS (SELECT *, upper(region) AS r FROM events) SELECT content_id, r AS region, max(title) AS"
        " title FROM e GROUP BY content_id, r",
        "SELECT e.content_id, e.region, t.title FROM events e LEFT JOIN (SELECT content_id, max(title) title"
        " FROM events GROUP BY 1) t USING (content_id)",
        "SELECT content_id, region, title FROM (SELECT *, row_number() OVER (PARTITION BY content_id, region"
        " ORDER BY _topic_partition, _offset) AS n FROM events) WHERE n = 1",
        "SELECT content_id, region, max(title) AS title FROM events GROUP BY ALL",
        "SELECT content_id, region, max(title) AS title FROM events GROUP BY content_id, region WITH ROLLUP",
        "SELECT x AS content_id, region, 'a' AS title FROM events LATERAL VIEW"
        " explode(split(content_id, ',')) s AS x",
        "SELECT content_id, region, max(title) AS title FROM events e WHERE EXISTS (SELECT 1 FROM events f"
        " WHERE f.content_id = e.content_id) GROUP BY content_id, region HAVING title IS NOT NULL ORDER BY 3",
        "SELECT content_id, region, title FROM events WHERE title = 'a' UNION ALL SELECT content_id, region,"
        " title FROM events WHERE title = 'b'",
        "SELECT /*+ BROADCAST(e) */ content_id, region, title FROM events e",
        "SELECT content_id, region, element_at(transform(split(title, ' '), w -> lower(w)), 1) AS title FROM"
        " events",
        "SELECT content_id, region, date_format(date_trunc('DAY', timestamp), 'E') AS title FROM events",
        "SELECT Content_ID, REGION, `title` FROM Events",
    ],
)
def test_sql_that_spark_takes_has_no_mistake(contracts: Path, select: str) -> None:
    (contracts / TABLE / "build.sql").write_text(select)
    contract = contracts / TABLE / "contract.yaml"
    text = contract.read_text()
    begin, end = (
        text.index("      - name: genre"),
        text.index(
            "    quality:\n      - type: custom\n        engine"
            ": greatExpectations\n        description: An hour"
        ),
    )
    kept = (text[:begin] + text[end:]).replace(
        "        transformSourceObjects: [events.title]\n", ""
    )
    contract.write_text(kept)
    assert found(contracts).mistakes == ()


def test_what_depends_on_the_order_of_rows_or_on_other_tables_is_a_warning(contracts: Path) -> None:
    file = contracts / TABLE / "build.sql"
    edit(file, "max(title)", "first(title)")
    edit(
        file,
        "FROM events",
        "FROM events LEFT SEMI JOIN us.other.list l ON l.content_id = events.content_id",
    )
    warnings = [one for one in found(contracts).warnings if one.file == file]
    assert [(one.line, one.column) for one in warnings] == [
        place(file, "first("),
        place(file, "us.other"),
    ]
    assert "first may give another" in warnings[0].expected
    assert "us.other.list" in warnings[1].expected
    assert found(contracts).mistakes == ()


def test_the_projects_own_sql_has_neither(tmp_path: Path) -> None:
    for name in ("viewing_events", "departures"):
        product = load_product(ROOT / "contracts" / name)
        assert check_product(product).mistakes == ()
