"""What a contract compiles into.

The golden files under tests/data/golden/contracts show a change of any target in a diff; write them
anew with `python -m tests.unit.contract.test_targets`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from pandera.errors import SchemaErrors

from pipeline.avro import arrow, logical_types
from pipeline.contract.compile import compile_product
from pipeline.contract.load import load_product, load_products
from pipeline.contract.model import Product, Reference, Retention
from pipeline.contract.references.data import ReferenceDataError, load_reference
from pipeline.contract.targets import avro, iceberg, pandera, topic
from pipeline.contract.vocabulary import CHECKS, WHOLE_COLUMN
from tests.unit.contract.conftest import ROOT, SOURCES, Copy

GOLDEN = ROOT / "tests" / "data" / "golden" / "contracts"


def compiled(product: str) -> str:
    return json.dumps(compile_product(load_product(SOURCES[product])), indent=1) + "\n"


@pytest.mark.parametrize("product", sorted(SOURCES))
def test_a_contract_compiles_into_its_golden_file(product: str) -> None:
    assert compiled(product) == (GOLDEN / f"{product}.json").read_text()


def test_products_are_sorted_and_named_by_their_folders() -> None:
    assert [product.name for product in load_products(ROOT / "contracts")] == [
        "departures",
        "viewing_events",
    ]


def test_settings_left_out_have_the_documented_defaults() -> None:
    product = load_product(SOURCES["strict_events"])
    assert product.gates.model_dump() == {
        "payload_bytes": 1_048_576,
        "freshness_s": 10.0,
        "late_s": None,
        "ahead_s": 300.0,
    }
    assert product.topic.retention == Retention(hot_ms=604_800_000, warm_ms=-1)
    assert product.allowed_lateness_s == 300.0
    assert product.topic.start == "earliest"


def test_a_start_may_be_a_time(copy: Copy) -> None:
    folder = copy("strict_events", ("partitions: 2", "start: 2026-01-01T02:00:00+02:00"))
    assert load_product(folder).topic.start == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_reader_schema_is_the_callers_own() -> None:
    product = load_product(SOURCES["strict_events"])
    avro.reader_schema(product)["fields"].clear()
    assert avro.reader_schema(product)["fields"]


def test_a_topic_takes_records_that_the_payload_gate_refuses() -> None:
    product = load_product(SOURCES["viewing_events"])
    largest = int(topic.topic_config(product).config["max.message.bytes"])
    assert largest > product.gates.payload_bytes


def test_every_avro_type_that_iceberg_holds_becomes_a_nullable_column() -> None:
    def named(name: str, type_: object) -> dict[str, object]:
        return {"name": name, "type": type_}

    inner = {"type": "record", "name": "Inner", "fields": [named("x", "int")]}
    record = {
        "type": "record",
        "name": "All",
        "fields": [
            named("day", {"type": "int", "logicalType": "date"}),
            named("at", ["null", {"type": "long", "logicalType": "timestamp-millis"}]),
            named("clock", {"type": "long", "logicalType": "time-micros"}),
            named("local", {"type": "long", "logicalType": "local-timestamp-micros"}),
            named("id", {"type": "string", "logicalType": "uuid"}),
            named("price", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}),
            named("kind", {"type": "enum", "name": "Kind", "symbols": ["A"]}),
            named("hash", {"type": "fixed", "name": "Hash", "size": 4}),
            named("inner", inner),
            named("again", ["null", "Inner"]),
            named("many", {"type": "array", "items": "string"}),
            named("by_name", {"type": "map", "values": "float"}),
        ],
    }
    types = {field.name: field.type for field in arrow.fields(record)}
    assert types == {
        "day": pa.date32(),
        "at": pa.timestamp("us", tz="UTC"),
        "clock": pa.time64("us"),
        "local": pa.timestamp("us"),
        "id": pa.string(),
        "price": pa.decimal128(9, 2),
        "kind": pa.string(),
        "hash": pa.binary(4),
        "inner": pa.struct([("x", pa.int32())]),
        "again": pa.struct([("x", pa.int32())]),
        "many": pa.list_(pa.string()),
        "by_name": pa.map_(pa.string(), pa.float32()),
    }
    assert all(field.nullable for field in arrow.fields(record))


def test_uuids_are_read_as_text() -> None:
    uuid = {"type": "string", "logicalType": "uuid"}
    assert logical_types.with_text_uuids(
        {"type": "record", "name": "R", "fields": [{"name": "f", "type": ["null", uuid]}]}
    ) == {
        "type": "record",
        "name": "R",
        "fields": [{"name": "f", "type": ["null", {"type": "string"}]}],
    }


@pytest.mark.parametrize(
    "type_",
    [
        ["int", "string"],
        ["null", "R"],
        "null",
        {"type": "bytes", "logicalType": "decimal", "precision": 39},
    ],
)
def test_a_type_that_iceberg_cannot_hold_is_refused(type_: object) -> None:
    record = {"type": "record", "name": "R", "fields": [{"name": "f", "type": type_}]}
    with pytest.raises(arrow.UnsupportedTypeError):
        arrow.fields(record)


def test_every_broken_rule_is_found_and_nulls_break_none() -> None:
    rules = pandera.rules_schema(load_product(SOURCES["viewing_events"]))
    frame = pl.DataFrame(
        {
            "user_id": ["u1", "u2", None],
            "watch_duration": [60, -1, None],
            "device_type": ["tv", "toaster", None],
            "completion": [0.5, 1.5, None],
            "another": [1, 2, 3],
        }
    )
    with pytest.raises(SchemaErrors) as caught:
        rules.validate(frame, lazy=True)
    cases = caught.value.failure_cases
    assert set(zip(cases["column"], cases["index"], strict=True)) == {
        ("watch_duration", 1),
        ("device_type", 1),
        ("completion", 1),
    }


def test_the_checks_that_a_contract_may_name_are_panderas_own() -> None:
    import inspect

    from pandera.api.checks import Check

    for name, (required, optional) in CHECKS.items():
        parameters = set(inspect.signature(getattr(Check, name)).parameters)
        assert {*required, *optional} == parameters - {"args", "kwargs"}, name
    assert all(hasattr(Check, name) for name in WHOLE_COLUMN)


def test_reference_data_is_typed_for_its_join_and_versioned_by_its_bytes() -> None:
    product = load_product(SOURCES["departures"])
    table = load_reference(product, product.references[0])
    assert table.frame.height == 26_115
    assert table.frame["time_hour"].dtype == pl.Datetime("us", "UTC")
    assert table.frame["wind_gust"].dtype == pl.Float64
    assert table.frame["wind_gust"].null_count() == 20_778
    assert len(table.version) == 64
    assert table.version == load_reference(product, product.references[0]).version


def test_reference_columns_come_last_and_are_typed_as_in_the_data() -> None:
    schema = iceberg.events_schema(load_product(SOURCES["viewing_events"]))
    assert [(f.name, f.type) for f in list(schema)[-3:]] == [
        ("title", pa.string()),
        ("genre", pa.string()),
        ("runtime_s", pa.int64()),
    ]


def moved(product: Product, source: str) -> Reference:
    return product.references[0].model_copy(update={"source": source})


@pytest.mark.parametrize("source", ["file:reference/none.csv", "package:nowhere/a.csv", "x"])
def test_reference_data_that_cannot_be_read_is_a_named_error(source: str) -> None:
    product = load_product(SOURCES["viewing_events"])
    with pytest.raises(ReferenceDataError):
        load_reference(product, moved(product, source))


def write_golden() -> None:
    """Write every golden file anew."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for product in SOURCES:
        Path(GOLDEN / f"{product}.json").write_text(compiled(product))


if __name__ == "__main__":
    write_golden()
