"""Whole records: the batch's way and the way of single records come to the same events and letters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.contract.targets import iceberg
from pipeline.ingest.transform.decode import Decoder
from pipeline.ingest.transform.decode_single import RecordDecoder
from pipeline.ingest.transform.frame import ROW
from pipeline.ingest.transform.records import DeadLetter, Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.record_batches import BatchSlice, parse_batches
from pipeline.kafka.records import Records, records_in
from pipeline.schemas import wire
from tests.decoder.batches import Wrote, batch
from tests.decoder.mutation import mutated
from tests.decoder.reference import encoded
from tests.decoder.registry import Schemas
from tests.decoder.tally import TALLY

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
TOPIC = TopicIdentity("cluster", "topic", "id", (0,))
CONTRACT = Path(__file__).parents[1] / "data" / "contracts" / "strict_events"
AT = 1_767_225_600_000_000
ENVELOPE_ID, UNKNOWN_ID = 1, 99


@pytest.fixture(scope="module", params=["envelope", "none"])
def product(request: pytest.FixtureRequest) -> Product:
    loaded = load_product(CONTRACT)
    topic = loaded.topic.model_copy(update={"envelope": request.param == "envelope"})
    return loaded.model_copy(update={"topic": topic})


def registry(product: Product) -> Schemas:
    """The envelope is id 1; versions 1 and 2 of the payload are ids 2 and 3."""
    files = sorted((CONTRACT / "schemas").glob("payload.v*"))
    by_id: dict[int, Mapping[str, Any]] = {
        2 + i: json.loads(file.read_text()) for i, file in enumerate(files)
    }
    return Schemas(by_id | {ENVELOPE_ID: product.envelope_schema or {}}, sorted(by_id))


@st.composite
def payloads(draw: st.DrawFn, schema: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "sensor": draw(st.sampled_from(["a", "b", "ü", ""])),
        "at": AT + draw(st.integers(-(10**9), 10**9)),
        "value": draw(st.integers(-5, 2**31 - 1)),
        "note": draw(st.none() | st.text(max_size=4)),
    }
    return {f["name"]: made[f["name"]] for f in schema["fields"]}


@st.composite
def one_record(
    draw: st.DrawFn, product: Product, known: Schemas, offset: int
) -> tuple[Wrote, dict[str, Any] | None]:
    """Draw a record, and its payload where nothing is wrong with it."""
    number = draw(st.sampled_from([*known.versions]))
    schema = known.by_id[number]
    payload = draw(payloads(schema))
    body = encoded(schema, payload)
    key = payload["sensor"]
    sound = key != ""
    if product.topic.envelope:
        envelope = {
            "uuid": draw(st.uuids().map(str) | st.just("")),
            "key": key,
            "schema_version": draw(st.sampled_from([known.versions.index(number) + 1] * 8 + [9])),
            "timestamp": payload["at"],
            "payload": body,
        }
        sound = sound and envelope["uuid"] != "" and envelope["schema_version"] != 9
        body, number = encoded(known.by_id[ENVELOPE_ID], envelope), ENVELOPE_ID
    schema_id = draw(st.sampled_from([number] * 8 + [UNKNOWN_ID]))
    value = wire.encode(schema_id, body)
    shape = draw(st.sampled_from(["whole"] * 6 + ["null", "broken", "short"]))
    if shape == "broken":
        value = draw(mutated(value))
    headers = st.lists(
        st.tuples(
            st.sampled_from(["traceparent", "job_id", "x"]),
            st.none() | st.just(b"v") | st.binary(max_size=16),
        ),
        max_size=3,
    )
    record_key = draw(st.sampled_from([key.encode()] * 6 + [None, b"other"]))
    sound = sound and shape == "whole" and schema_id == number
    if product.topic.envelope:
        sound = sound and record_key == key.encode()
    held = {"null": None, "short": value[:3]}.get(shape, value)
    wrote = Wrote(offset, AT // 1000, record_key, held, tuple(draw(headers)))
    return wrote, payload if sound else None


def records_of(wrote: Sequence[Wrote]) -> Records:
    data = batch(0, len(wrote) - 1, wrote)
    passed = parse_batches(0, data, 0, len(wrote), ())
    slices = [item for item in passed.items if isinstance(item, BatchSlice)]
    return records_in(slices)


@settings(settings.get_profile("decoder"))
@given(st.data())
def test_a_batch_decodes_as_its_records_do_one_by_one(
    product: Product, data: st.DataObject
) -> None:
    known = registry(product)
    count = data.draw(st.integers(1, 6))
    drawn = [data.draw(one_record(product, known, offset)) for offset in range(count)]
    wrote = [one for one, _ in drawn]
    records = records_of(wrote)
    decoded = Decoder(product, known, TOPIC, "run").decode(records, NOW)
    columns = iceberg.payload_schema(product)
    slow = RecordDecoder(product, known, TOPIC, columns)
    rows = {row[ROW]: row for row in decoded.frame.iter_rows(named=True)}
    dead_letters = {letter.record.offset: letter for letter in decoded.dead_letters}
    assert len(rows) + len(dead_letters) == count
    for number, (_, payload_written) in enumerate(drawn):
        if payload_written is not None:
            TALLY["records that were written without a fault"] += 1
            held_payload = {name: rows[number][name] for name in payload_written}
            held_payload["at"] = (held_payload["at"] - EPOCH) // MICROSECOND
            assert held_payload == payload_written
        expected = slow.decode(records.record(number))
        if isinstance(expected, DeadLetter):
            TALLY["records that were dead letters"] += 1
            # Bytes may be broken to say a schema that is registered, and that the contract does not list.
            unlisted = {Reason.UNDECODABLE: Reason.UNLISTED_SCHEMA}.get(expected.reason)
            assert dead_letters[number].reason in (expected.reason, unlisted)
            assert dead_letters[number].record == expected.record
            continue
        TALLY["records that were events"] += 1
        row = rows[number]
        payload = pl.from_arrow(expected.payload)
        assert isinstance(payload, pl.DataFrame)
        assert {name: row[name] for name in columns.names} == payload.row(0, named=True)
        assert (row["_uuid"], row["_key"]) == (expected.uuid, expected.key)
        assert (row["_offset"], row["_schema_version"]) == (number, expected.schema_version)
        assert int(row["_event_time"].timestamp() * 1e6) // 1000 == expected.event_time // 1000
        said = dict(wrote[number].headers)
        for name in ("traceparent", "job_id"):
            held = said.get(name)
            assert row[f"_{name}"] == (None if held is None else held.decode("utf-8", "replace"))
    TALLY["batches of whole records"] += 1
