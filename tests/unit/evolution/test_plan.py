"""What a contract asks of a table's columns, and what of it is safe."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema as TableSchema
from pyiceberg.transforms import DayTransform, HourTransform
from pyiceberg.types import LongType, NestedField, StringType, StructType, TimestamptzType

from pipeline.avro import arrow
from pipeline.avro.schema import Schema
from pipeline.contract.checks.schema_evolution import evolution_mistakes
from pipeline.evolution.former_names import former_names
from pipeline.evolution.model import Action, Step, Verdict
from pipeline.evolution.plan import plan_columns, plan_partition
from pipeline.tables.create import Partition, fresh_schema
from pipeline.tables.data_files.past_names import PastNames

LEAVES = (
    *("boolean", "int", "long", "float", "double", "bytes", "string"),
    *({"type": "fixed", "name": "f", "size": size} for size in (4, 5)),
    *(
        {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}
        for precision, scale in ((5, 2), (9, 2), (9, 3))
    ),
)

Former = Mapping[tuple[str, ...], tuple[str, ...]]
INT, LONG, TEXT = pa.int32(), pa.int64(), pa.string()


def steps(
    held: Mapping[str, Any], wanted: Mapping[str, Any], former: Former | None = None
) -> list[tuple[str, str, str, str]]:
    """Return (action, column, detail, verdict) of each step."""
    schema = fresh_schema(pa.schema(held.items()))
    planned = plan_columns(
        "p.events",
        fresh_schema(pa.schema(wanted.items())).as_struct(),
        former or {},
        schema.as_struct(),
        PastNames([schema]),
    )
    return [(s.action.value, s.column, s.detail, s.verdict.value) for s in planned.steps]


def nested(type_: pa.DataType, shape: str) -> pa.DataType:
    inner = pa.struct([("x", type_)])
    return {
        "record": inner,
        "array": pa.list_(inner),
        "map": pa.map_(TEXT, inner),
        "deep": pa.list_(pa.struct([("m", pa.map_(TEXT, pa.list_(inner)))])),
    }[shape]


INSIDE = {
    "record": "c.x",
    "array": "c.element.x",
    "map": "c.value.x",
    "deep": "c.element.m.value.element.x",
}


def test_a_table_that_has_what_is_wanted_needs_nothing() -> None:
    assert steps({"a": INT, "b": nested(TEXT, "deep")}, {"b": nested(TEXT, "deep"), "a": INT}) == []


def test_a_new_field_is_a_new_column() -> None:
    assert steps({"a": INT}, {"a": INT, "b": TEXT}) == [("add column", "b", "string", "safe")]


def test_a_dropped_field_leaves_its_column() -> None:
    assert steps({"a": INT, "b": TEXT}, {"a": INT}) == [
        ("keep column", "b", "not in the contract: null in new rows", "safe")
    ]


@pytest.mark.parametrize("shape", INSIDE)
def test_a_field_is_added_inside(shape: str) -> None:
    inner = {
        "record": pa.struct([("x", INT), ("y", TEXT)]),
        "array": pa.list_(pa.struct([("x", INT), ("y", TEXT)])),
        "map": pa.map_(TEXT, pa.struct([("x", INT), ("y", TEXT)])),
        "deep": pa.list_(
            pa.struct([("m", pa.map_(TEXT, pa.list_(pa.struct([("x", INT), ("y", TEXT)]))))])
        ),
    }[shape]
    place = INSIDE[shape].removesuffix("x") + "y"
    assert steps({"c": nested(INT, shape)}, {"c": inner}) == [
        ("add column", place, "string", "safe")
    ]


@pytest.mark.parametrize("shape", INSIDE)
@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        (INT, LONG, "int -> long"),
        (pa.float32(), pa.float64(), "float -> double"),
        (pa.decimal128(5, 2), pa.decimal128(9, 2), "decimal(5, 2) -> decimal(9, 2)"),
    ],
)
def test_types_are_widened_and_never_narrowed(
    shape: str, old: pa.DataType, new: pa.DataType, detail: str
) -> None:
    assert steps({"c": nested(old, shape)}, {"c": nested(new, shape)}) == [
        ("widen column", INSIDE[shape], detail, "safe")
    ]
    # A contract older than the table goes on: its values are written as the table has them.
    assert steps({"c": nested(new, shape)}, {"c": nested(old, shape)}) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (TEXT, LONG),
        (LONG, pa.float64()),
        (TEXT, pa.binary()),
        (pa.binary(4), pa.binary(5)),
        (pa.decimal128(5, 2), pa.decimal128(5, 3)),
        (pa.decimal128(5, 2), pa.decimal128(9, 3)),
        (pa.timestamp("us"), pa.timestamp("us", tz="UTC")),
        (INT, pa.date32()),
        (INT, pa.list_(INT)),
        (pa.list_(INT), pa.map_(TEXT, INT)),
        (pa.map_(TEXT, INT), pa.map_(INT, INT)),
    ],
)
def test_what_iceberg_cannot_follow_is_refused(old: pa.DataType, new: pa.DataType) -> None:
    for one, other in ((old, new), (new, old)):
        (step,) = steps({"c": one}, {"c": other})
        assert (step[0], step[1], step[3]) == ("change type", "c", "refused")


@pytest.mark.parametrize(("old", "new"), list(itertools.permutations(LEAVES, 2)))
def test_a_new_version_may_change_a_type_where_its_table_can_follow(old: Any, new: Any) -> None:
    versions = [
        {"type": "record", "name": "r", "fields": [{"name": "c", "type": type_}]}
        for type_ in (old, new)
    ]
    earlier, newest = map(Schema, versions)
    held, wanted = ({"c": arrow.fields(version)[0].type} for version in versions)
    mistakes = list(evolution_mistakes(newest, [("v1", earlier)]))
    follows = [step[0] for step in steps(held, wanted)] == ["widen column"]
    assert (mistakes == []) == follows


def test_a_renamed_field_keeps_its_column() -> None:
    assert steps({"a": INT}, {"b": LONG}, {("b",): ("a",)}) == [
        ("rename column", "a", "a -> b", "safe"),
        ("widen column", "a", "int -> long", "safe"),
    ]


def test_the_alias_that_the_table_has_counts() -> None:
    assert steps({"b": INT}, {"c": INT}, {("c",): ("b", "a")})[0][2] == "b -> c"
    assert steps({"a": INT}, {"c": INT}, {("c",): ("b", "a")})[0][2] == "a -> c"


def test_a_field_of_its_own_name_is_not_renamed_away() -> None:
    assert steps({"a": INT}, {"a": INT, "b": INT}, {("b",): ("a",)}) == [
        ("add column", "b", "int", "safe")
    ]


def test_names_that_differ_in_case_alone_are_refused() -> None:
    (step, kept) = steps({"Note": TEXT}, {"note": TEXT})
    assert (step[0], step[3], kept[0]) == ("add column", "refused", "keep column")


def test_an_older_contract_finds_a_renamed_column() -> None:
    old = TableSchema(NestedField(1, "a", LongType()), schema_id=0)
    new = TableSchema(NestedField(1, "b", LongType()), schema_id=1)
    wanted = StructType(NestedField(1, "a", LongType()))
    planned = plan_columns("t", wanted, {}, new.as_struct(), PastNames([old, new]))
    assert planned.steps == ()


def test_a_required_column_becomes_optional() -> None:
    held = TableSchema(NestedField(1, "a", LongType(), required=True))
    wanted = StructType(NestedField(1, "a", LongType()))
    planned = plan_columns("t", wanted, {}, held.as_struct(), PastNames([held]))
    assert [step.detail for step in planned.steps] == ["required -> optional"]
    assert len(planned.due) == 1


def test_kept_columns_are_told_and_nothing_is_done() -> None:
    held = TableSchema(NestedField(1, "a", LongType()), NestedField(2, "b", StringType()))
    wanted = StructType(NestedField(1, "a", LongType()))
    planned = plan_columns("t", wanted, {}, held.as_struct(), PastNames([held]))
    assert planned.due == ()
    assert [step.action for step in planned.steps] == [Action.KEEP_COLUMN]


def test_aliases_are_read_at_every_level() -> None:
    inner = {
        "type": "record",
        "name": "I",
        "fields": [{"name": "x", "type": "int", "aliases": ["w"]}],
    }
    record = {
        "type": "record",
        "name": "P",
        "fields": [
            {"name": "a", "type": ["null", inner], "aliases": ["z"]},
            {"name": "b", "type": {"type": "array", "items": "I"}},
            {"name": "c", "type": {"type": "map", "values": ["null", "I"]}},
        ],
    }
    assert former_names(record) == {
        ("a",): ("z",),
        ("a", "x"): ("w",),
        ("b", "element", "x"): ("w",),
        ("c", "value", "x"): ("w",),
    }


def test_partitions_that_somebody_changed_are_refused() -> None:
    schema = TableSchema(NestedField(1, "_event_time", TimestamptzType()))
    wanted: Partition = ("_event_time", HourTransform(), "event_hour")
    hours = PartitionSpec(PartitionField(1, 1000, HourTransform(), "any_name"))
    days = PartitionSpec(PartitionField(1, 1000, DayTransform(), "event_hour"))
    assert plan_partition("t", hours, schema, wanted) == ()
    (change,) = plan_partition("t", days, schema, wanted)
    assert change.step.detail == "day(_event_time) -> hour(_event_time)"
    assert change.step.verdict is Verdict.REFUSED


def test_a_step_reads_as_a_line() -> None:
    step = Step("p.events", Action.WIDEN_COLUMN, "a.b", "int -> long", Verdict.SAFE)
    assert str(step) == "p.events: widen column a.b: int -> long: safe"
