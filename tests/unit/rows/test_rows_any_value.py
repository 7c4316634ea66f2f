"""Whatever a file holds in whatever field: it is encoded, or its row is refused, and nothing else happens."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.avro.encode import encoder
from pipeline.rows.arrow_values import Pairs, Untyped
from pipeline.rows.convert import RowError, row_converter
from pipeline.rows.json_text import parse_json
from pipeline.rows.numbers import NumberText
from pipeline.rows.times import Clock, Day, Moment
from tests.support.avro_plain import decode
from tests.support.drawn_rows import Drawn, fields, record

BIG = st.integers(-(2**70), 2**70)
NUMBERS = st.sampled_from(
    ["1e99999999999999999999", "1e-99999999999999999999", "0e99999999999", "-0", "1.", ".5", "1e5"]
) | st.from_regex(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,8})?", fullmatch=True)
TEXTS = (
    st.text(st.characters(), max_size=12)
    | NUMBERS
    | st.from_regex(
        r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}([T ][0-9:.,]{0,15}(Z|[+-][0-9:]{0,6})?)?", fullmatch=True
    )
    | st.sampled_from(["NaN", "Infinity", "\ud800", "9" * 5_000, "00:00:60", "24:00", "0000-01-01"])
)
SCALARS = (
    st.none()
    | st.booleans()
    | BIG
    | st.floats()
    | st.decimals()
    | st.binary(max_size=20)
    | TEXTS
    | NUMBERS.map(NumberText)
    | st.builds(
        Moment,
        BIG,
        st.sampled_from([1, 1000, 10**6, 10**9]),
        st.sampled_from([None, "UTC", "Asia/Tokyo"]),
    )
    | st.builds(Clock, BIG, st.sampled_from([1, 1000, 10**6, 10**9]))
    | st.builds(Day, BIG)
    | st.sampled_from(
        [
            Untyped("duration[us]"),
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 31),  # noqa: DTZ001
            date(1, 1, 1),
            time(1, tzinfo=UTC),
            UUID(int=0),
            Decimal("sNaN"),
        ]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["f0", "f1", ""]), inner, max_size=3)
        | st.lists(st.tuples(inner, inner), max_size=2).map(Pairs)
    ),
    max_leaves=4,
)


@st.composite
def rows(draw: st.DrawFn) -> tuple[Drawn, dict[str, Any]]:
    names = count()
    row = record(
        draw(st.lists(fields(lambda: f"N{next(names)}", 1), min_size=1, max_size=2)), "Row"
    )
    return row, draw(st.dictionaries(st.sampled_from(["f0", "f1"]), VALUES, max_size=2))


@pytest.mark.slow
@given(rows(), st.booleans())
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_value_is_encoded_or_its_row_is_refused(drawn: tuple[Drawn, Any], texts: bool) -> None:
    row, values = drawn
    try:
        payload = row_converter(row.schema, texts=texts)(values)
    except RowError as error:
        assert len(str(error)) < 300  # noqa: PT017
        return
    decode(row.schema, encoder(row.schema)(payload))


@given(st.text('{}[]"\\:,0123456789.eE-+u nulltruefalsNaIity', max_size=30))
def test_a_json_text_is_a_value_or_refused(text: str) -> None:
    try:
        found = parse_json(text)
    except ValueError as error:
        assert len(str(error)) < 300  # noqa: PT017
        return
    assert str(found) is not None
    json.loads(text)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', "[" * 100_000, "01", "\ufeff{}", "{'a': 1}"])
def test_json_that_is_none_or_says_something_twice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|twice|BOM"):
        parse_json(text)
