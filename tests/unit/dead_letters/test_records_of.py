"""Records that go back to a topic, as ingest has records: each is found again as it was."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dead_letters.outbox.records import records_of
from pipeline.kafka.framing import HEADERS
from pipeline.kafka.records import RawRecord
from pipeline.tables.layout import DEAD_LETTER_SCHEMA

TIME = 1_767_225_600_000_000
COLUMNS = pa.schema(
    DEAD_LETTER_SCHEMA.field(name)
    for name in ("_topic_partition", "_offset", "record_key", "record_value", "headers")
)
BYTES = st.none() | st.binary(max_size=40)
NAMES = st.sampled_from([*HEADERS, "x", "", "grün"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=8
)
RECORDS = st.builds(
    RawRecord,
    partition=st.integers(0, 2**31 - 1),
    offset=st.integers(0, 2**63 - 1),
    record_time=st.just(TIME),
    key=BYTES,
    value=BYTES,
    headers=st.lists(st.tuples(NAMES, BYTES), max_size=5).map(tuple),
)


def rows(raw: Sequence[RawRecord]) -> pa.Table:
    """The columns of dead letters that hold records, in chunks of two."""
    held = [
        {
            "_topic_partition": one.partition,
            "_offset": one.offset,
            "record_key": one.key,
            "record_value": one.value,
            "headers": [{"key": name, "value": value} for name, value in one.headers] or None,
        }
        for one in raw
    ]
    parts = [held[n : n + 2] for n in range(0, len(held), 2)] or [[]]
    return pa.concat_tables(pa.Table.from_pylist(part, schema=COLUMNS) for part in parts)


@given(st.lists(RECORDS, max_size=6))
def test_records_are_given_again_as_they_were(raw: list[RawRecord]) -> None:
    records = records_of(rows(raw), TIME)
    assert len(records) == len(raw)
    assert [records.record(number) for number in range(len(raw))] == raw


@given(st.lists(RECORDS, min_size=1, max_size=6))
def test_headers_that_ingest_looks_for_are_found_the_last_of_a_name(raw: list[RawRecord]) -> None:
    records = records_of(rows(raw), TIME)
    for name in HEADERS:
        told = [dict(record.headers).get(name) for record in raw]
        found = records.with_header(name)
        assert found.tolist() == [n for n, value in enumerate(told) if value is not None]
        assert records.header(name, found).to_pylist() == [one for one in told if one is not None]


def test_a_large_value_and_one_that_is_empty_stay_what_they_are() -> None:
    large = RawRecord(0, 0, TIME, b"k", bytes(range(256)) * 5_000, (("x", b"y" * 300),))
    empty = RawRecord(0, 1, TIME, b"", b"", ())
    records = records_of(rows([large, empty]), TIME)
    assert [records.record(0), records.record(1)] == [large, empty]
