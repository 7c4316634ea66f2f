"""Business rules: pandera's findings, against a count that knows nothing of pandera."""

from __future__ import annotations

from typing import Any

import pandera.polars as pa
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.rules import broken_rules

RULES = pa.DataFrameSchema(
    {
        "seconds": pa.Column(
            float, [pa.Check.in_range(0, 10), pa.Check.not_equal_to(5)], nullable=True
        ),
        "device": pa.Column(str, pa.Check.isin(["tv", "phone"]), nullable=True),
    }
)
PLAIN: dict[str, Any] = {
    "in_range": lambda row: row[0] is not None and not 0 <= row[0] <= 10,
    "not_equal_to": lambda row: row[0] is not None and row[0] == 5,
    "isin": lambda row: row[1] is not None and row[1] not in ("tv", "phone"),
}


def frame(rows: list[tuple[float | None, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"seconds": pl.Float64, "device": pl.String}, orient="row")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.sampled_from([-1.0, 0.0, 5.0, 10.0, 99.0])),
            st.one_of(st.none(), st.sampled_from(["tv", "phone", "fridge"])),
        ),
        max_size=20,
    )
)
def test_rows_that_break_a_rule_are_counted_as_by_hand(
    rows: list[tuple[float | None, str | None]],
) -> None:
    broken = broken_rules(frame(rows), RULES)
    by_hand = {name: sum(map(breaks, rows)) for name, breaks in PLAIN.items()}
    found = dict.fromkeys(PLAIN, 0)
    for rule, count in broken.by_rule.items():
        found[next(name for name in PLAIN if name in rule)] += count
    assert found == by_hand
    invalid = [i for i, row in enumerate(rows) if any(b(row) for b in PLAIN.values())]
    assert sorted(broken.rows) == invalid


def test_sound_rows_break_nothing() -> None:
    assert broken_rules(frame([(1.0, "tv"), (None, None)]), RULES).by_rule == {}
