"""Which queries of expectations ask for a condition of each row alone, and which ask for more."""

from __future__ import annotations

import pytest

from pipeline.batch.sql.row_query import condition_of


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("SELECT * FROM {batch} WHERE id < 0", "id < 0"),
        ("select * from {batch} where id < 0 ;\n", "id < 0"),
        ("SELECT * FROM {batch} WHERE id < 0 -- not one", "id < 0"),
        (
            "SELECT *\nFROM {batch}\nWHERE NOT forall(parts, p -> p.share > 0)",
            "NOT forall(parts, p -> p.share > 0)",
        ),
    ],
)
def test_a_query_that_gives_the_rows_that_meet_a_condition(query: str, condition: str) -> None:
    found = condition_of(query)
    assert found is not None
    assert found.strip() == condition


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM {batch}",
        "SELECT id FROM {batch} WHERE id < 0",
        "SELECT DISTINCT * FROM {batch} WHERE id < 0",
        "SELECT * EXCEPT (id) FROM {batch} WHERE id < 0",
        "SELECT *, explode(parts) FROM {batch} WHERE id < 0",
        "SELECT * FROM {batch} AS b WHERE b.id < 0",
        "SELECT * FROM {batch} WHERE batch.id < 0",
        "SELECT * FROM {batch}, events WHERE id < 0",
        "SELECT * FROM {batch} JOIN events USING (id) WHERE id < 0",
        "SELECT * FROM {batch} LATERAL VIEW explode(parts) WHERE id < 0",
        "SELECT * FROM {batch} TABLESAMPLE (5 ROWS) WHERE id < 0",
        "SELECT * FROM {batch} PIVOT (sum(id) FOR region IN ('north')) WHERE id < 0",
        "SELECT * FROM {batch} WHERE id < (SELECT max(id) FROM {batch})",
        "SELECT * FROM {batch} WHERE EXISTS (SELECT * FROM events)",
        "SELECT * FROM {batch} WHERE row_number() OVER (ORDER BY id) > 1",
        "SELECT * FROM {batch} WHERE id < 0 ORDER BY id",
        "SELECT * FROM {batch} WHERE id < 0 LIMIT 1",
        "SELECT * FROM {batch} WHERE id < 0 GROUP BY ALL",
        "SELECT * FROM {batch} WHERE id < 0 HAVING count(*) > 1",
        "SELECT * FROM {batch} WHERE id < 0 UNION ALL SELECT * FROM {batch}",
        "WITH few AS (SELECT 1) SELECT * FROM {batch} WHERE id < 0",
        "SELECT * FROM events WHERE id < 0",
        "SELECT * FROM {batch} WHERE name = '{{'",
        "SELECT * FROM {batch} WHERE id < 0; SELECT 1",
        "SELECT * FROM {batch} WHERE",
        "no SQL at all",
        "",
    ],
)
def test_a_query_that_may_give_more_or_fewer_rows_than_meet_a_condition(query: str) -> None:
    assert condition_of(query) is None
