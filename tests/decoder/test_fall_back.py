"""What the columnar reader does not vouch for is read one by one, as the reference reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.avro import arrow
from pipeline.contract.load import load_product
from pipeline.ingest.transform.decode_single import RecordDecoder
from pipeline.ingest.transform.records import DeadLetter, Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.schemas import wire
from tests.decoder.evolution import Evolved, batches, evolved
from tests.decoder.mutation import mutated
from tests.decoder.reference import encoded, told
from tests.decoder.registry import Schemas
from tests.decoder.subject import Subject, references
from tests.decoder.tally import TALLY

PRODUCT = load_product(Path(__file__).parents[1] / "data" / "contracts" / "strict_events")
OWN = [
    {"name": "sensor", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
]
"""What a payload without an envelope must hold; drawn fields follow."""
OWN_BYTES = encoded({"type": "record", "name": "P", "fields": OWN}, {"sensor": "s", "at": 0})


def one_by_one(history: Evolved) -> RecordDecoder:
    """Return the decoder of single records for payloads of `history`, behind `OWN`."""
    reader, *writers = (
        {**schema, "fields": OWN + schema["fields"]}
        for schema in (history.reader, *history.writers)
    )
    topic = PRODUCT.topic.model_copy(update={"envelope": False})
    product = PRODUCT.model_copy(update={"topic": topic, "payload_schemas": (reader,)})
    known = Schemas(dict(enumerate(writers)), range(len(writers)))
    columns = pa.schema(arrow.fields(reader))
    return RecordDecoder(product, known, TopicIdentity("cluster", "topic", "id", (0,)), columns)


@settings(settings.get_profile("decoder"))
@given(evolved().flatmap(lambda h: st.tuples(st.just(h), batches(h))), st.data())
def test_a_record_read_alone_is_what_the_reference_reads_or_is_named_as_undecodable(
    drawn: tuple[Evolved, list[tuple[int, Any]]], data: st.DataObject
) -> None:
    history, values = drawn
    slow, alone = references(history), one_by_one(history)
    bodies = [(number, data.draw(mutated(slow[number].encode(one)))) for number, one in values]
    columns = Subject(history).read(bodies)
    for (number, body), in_columns in zip(bodies, columns, strict=True):
        value = wire.encode(number, OWN_BYTES + body)
        mine = alone.decode(RawRecord(0, 0, 0, b"s", value, ()))
        if isinstance(mine, DeadLetter):
            TALLY["single records refused"] += 1
            assert mine.reason in (Reason.UNDECODABLE, Reason.OUT_OF_RANGE)
            assert in_columns is None, "a value is an event in columns, and a dead letter alone"
            continue
        TALLY["single records read"] += 1
        read = {
            name: told(column.combine_chunks())[0]
            for name, column in zip(mine.payload.column_names, mine.payload.columns, strict=True)
            if name not in ("sensor", "at")
        }
        assert read == slow[number].read(body)


def test_a_time_of_day_below_zero_is_undecodable() -> None:
    field = {"name": "c0", "type": {"type": "long", "logicalType": "time-micros"}}
    schema = {"type": "record", "name": "Payload", "fields": [field]}
    history = Evolved(schema, (schema,))
    value = wire.encode(0, OWN_BYTES + references(history)[0].encode({"c0": -1}))
    mine = one_by_one(history).decode(RawRecord(0, 0, 0, b"s", value, ()))
    assert isinstance(mine, DeadLetter)


@pytest.mark.parametrize("time", [-1, -86_400_000_000, 86_400_000_000])
def test_a_time_that_is_of_no_day_is_undecodable(time: int) -> None:
    field = {"name": "c0", "type": {"type": "long", "logicalType": "time-micros"}}
    schema = {"type": "record", "name": "Payload", "fields": [field]}
    history = Evolved(schema, (schema,))
    value = wire.encode(0, OWN_BYTES + references(history)[0].encode({"c0": time}))
    mine = one_by_one(history).decode(RawRecord(0, 0, 0, b"s", value, ()))
    assert isinstance(mine, DeadLetter)


BOMBS: dict[str, tuple[Any, bytes]] = {
    "booleans": ({"type": "array", "items": "boolean"}, b""),
    "doubles": ({"type": "array", "items": "double"}, b""),
    "nulls": ({"type": "array", "items": "null"}, b"\x00"),
    "records without fields": (
        {"type": "array", "items": {"type": "record", "name": "Nothing", "fields": []}},
        b"\x00",
    ),
    "a record in itself": (
        {
            "type": "record",
            "name": "Link",
            "fields": [{"name": "next", "type": ["null", "Link"]}],
        },
        b"\x02" * 200_000 + b"\x00",
    ),
}
"""What a writer may have written that no column takes: a type, and what follows its first bytes."""
BOMBED = {"booleans": Reason.UNDECODABLE, "doubles": Reason.UNDECODABLE}
"""What has bytes of its own is bounded by those that there are."""
MANY = encoded(
    {"type": "record", "name": "N", "fields": [{"name": "n", "type": "long"}]}, {"n": 1 << 60}
)


@pytest.mark.parametrize("dropped", BOMBS)
def test_a_few_bytes_cannot_claim_work_without_end(dropped: str) -> None:
    type_, rest = BOMBS[dropped]
    reader = {"type": "record", "name": "Payload", "fields": [{"name": "c0", "type": "int"}]}
    wrote = [*reader["fields"], {"name": "dropped", "type": type_}]
    history = Evolved(reader, ({**reader, "fields": wrote}, reader))
    start = encoded(reader, {"c0": 1})
    bomb = start + (MANY if type_["type"] == "array" else b"")
    columns = Subject(history).read([(1, start), (0, bomb + rest), (1, start)])
    assert columns == [{"c0": 1}, None, {"c0": 1}]
    alone = one_by_one(history)
    letter = alone.decode(RawRecord(0, 0, 0, b"s", wire.encode(0, OWN_BYTES + bomb + rest), ()))
    assert isinstance(letter, DeadLetter)
    assert letter.reason is BOMBED.get(dropped, Reason.UNREADABLE_SCHEMA)
