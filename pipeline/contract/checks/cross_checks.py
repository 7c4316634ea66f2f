"""What must agree between a contract's parts."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from pyarrow import ArrowException
from pyarrow.types import is_nested

from pipeline.avro.arrow import holds_time
from pipeline.avro.schema import field_types
from pipeline.avro.validity import require_avro
from pipeline.config.nearest import did_you_mean, nearest
from pipeline.contract.references.csv_file import BadCsvError
from pipeline.contract.references.declared import locate, wanted
from pipeline.contract.references.file import read_columns
from pipeline.contract.settings.product import (
    GatesSection,
    ProductSettings,
    ReferenceSection,
)
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader
from pipeline.contract.source.texts import NotTextError
from pipeline.contract.targets import avro
from pipeline.rows.converted import arrow_type
from pipeline.tables.layout import EVENT_HOUR

_COLUMN = re.compile(r"[^\W_][^.`\"\\\x00-\x1f\x7f]*")
_SEPARATORS = re.compile(r"[;\t|]")


def check_topic(reader: ContractReader, settings: ProductSettings, loc: Loc) -> None:
    """Report settings of the topic that would lose records, or that contradict each other."""
    topic = settings.topic
    by_producer = topic.record_time == "CreateTime"
    if topic.history and by_producer and topic.retention.hot != -1:
        reader.report(
            (*loc, "topic", "retention"),
            "`forever`; the broker judges history by its own times and would delete it",
        )
    if topic.retention.hot != -1 and -1 < topic.retention.warm < topic.retention.hot:
        reader.report((*loc, "topic", "retention", "warm"), "no less than `hot`")
    late_s = settings.gates.freshness if settings.gates.late is None else settings.gates.late
    least_ms = (3_600 + settings.allowed_lateness + late_s) * 1_000
    if -1 < topic.retention.warm < least_ms:
        reader.report(
            (*loc, "topic", "retention", "warm"),
            "no less than an hour, `allowedLateness` and `gates.late` together: rows would be deleted before "
            "their hour is built",
        )


def check_gates(reader: ContractReader, gates: GatesSection, loc: Loc) -> None:
    """Report gates that contradict each other."""
    if gates.late is not None and gates.late <= gates.freshness:
        reader.report((*loc, "gates", "late"), "more than `freshness`, or left out")


def check_properties(
    reader: ContractReader,
    loc: Loc,
    payload: Mapping[str, Any],
    described: Collection[str],
    mistyped: Collection[str] = (),
) -> frozenset[str]:
    """Report properties of the topic at `loc` that are not fields, and fields without a property.

    Of the types of fields that are `mistyped` by the schema, nothing is told. Returns the fields of which the
    contract says another type than the schema: their rules are not to be judged.
    """
    other = set()
    types = field_types(payload)
    missing = [name for name in types if name not in described]
    for place, entry in reader.mappings((*loc, "properties")):
        name, stated = entry.get("name"), entry.get("logicalType")
        if not isinstance(name, str):
            continue
        if name not in types:
            near = nearest(name, missing)
            if near is not None:
                # Of what is misspelt it would be the second mistake.
                missing.remove(near)
            expected = f"a field of the newest payload schema, not {name!r}"
            reader.report((*place, "name"), f"{expected}{did_you_mean(name, [near or ''])}")
            continue
        wanted = avro.odcs_types(types[name])
        if wanted == ("time",):
            # No column is one: the schema is told so.
            continue
        if stated is not None and wanted and stated not in wanted and name not in mistyped:
            text = f"{' or '.join(wanted)}, as in the Avro schema; not {stated!r}"
            reader.report((*place, "logicalType"), text)
            other.add(name)
    for name in missing:
        reader.report((*loc, "properties"), f"a property for the payload's field {name!r}")
    return frozenset(other)


def check_references(
    reader: ContractReader, settings: ProductSettings, loc: Loc, payload: Mapping[str, Any] | None
) -> None:
    """Report reference data that is absent, or lacks the columns it is said to have."""
    taken = {field["name"].lower() for field in payload["fields"]} if payload else set()
    names: set[str] = set()
    for index, reference in enumerate(settings.references):
        place: Loc = (*loc, "references", index)
        if reference.name in names:
            reader.report(
                (*place, "name"), f"each reference once; {reference.name!r} is here twice"
            )
        names.add(reference.name)
        for position, column in enumerate(reference.on):
            if payload and column not in {field["name"] for field in payload["fields"]}:
                reader.report((*place, "on", position), f"a field of the payload, not {column!r}")
        for position, column in enumerate(reference.columns):
            if column.lower() in taken or not _COLUMN.fullmatch(column):
                expected = (
                    "a column that no other has, in whatever case, without a leading _, dots, quotes or "
                    f"control characters; not {column!r}"
                )
                reader.report((*place, "columns", position), expected)
            elif column.lower() == EVENT_HOUR:
                expected = f"another name; {EVENT_HOUR} is what the events table is partitioned by"
                reader.report((*place, "columns", position), expected)
            taken.add(column.lower())
        if payload is not None:
            _check_file(reader, reference, place, payload)


def _check_file(
    reader: ContractReader, reference: ReferenceSection, place: Loc, payload: Mapping[str, Any]
) -> None:
    expected = wanted(payload, reference)
    for name, schema in [*expected.on.items(), *expected.types.items()]:
        key: Loc = ("types", name) if name in expected.types else ("on", reference.on.index(name))
        if (unusable := _unusable(schema)) is not None:
            mistake, of_none = unusable
            if name in expected.types or not of_none:
                # Of a payload's field that no table could have, the schema is told so.
                reader.report((*place, *key), mistake)
            return
    try:
        path = locate(reference.source, reader.folder)
        read = read_columns(path, path.read_bytes(), expected)
    except (BadCsvError, NotTextError) as error:
        reader.report_in(path, error.line, "", f"{error}", error.column)
        return
    except (OSError, ValueError, ArrowException) as error:
        reader.report((*place, "source"), f"reference data: {error}")
        return
    columns = [*read.columns, *(problem.column for problem in read.problems)]
    if len(columns) == 1 and path.suffix == ".csv" and (found := _SEPARATORS.search(columns[0])):
        expected_comma = f"commas between names and values; here is {found[0]!r}"
        reader.report_in(path, 1, "", expected_comma, found.start() + 1)
        return
    named: list[tuple[Loc, str]] = [
        *(
            (("on", position), one)
            for position, one in enumerate(reference.on)
            if one in expected.on
        ),
        *((("columns", position), column) for position, column in enumerate(reference.columns)),
        *((("types", column), column) for column in reference.types),
    ]
    if reference.valid_from is not None:
        named.append((("validFrom",), reference.valid_from))
    for found_key, column in named:
        if column not in columns:
            expected_column = f"a column of {path.name} ({', '.join(columns)}); not {column!r}"
            reader.report((*place, *found_key), expected_column)
    for column in reference.types:
        if column in reference.on or column == reference.valid_from:
            reader.report((*place, "types", column), "no type here: the payload gives it")
    for problem in read.problems:
        unit = "line" if path.suffix == ".csv" else "row"
        where = f"{unit} {problem.line}: " if problem.line else ""
        if problem.column == reference.valid_from:
            text = f"a column of ISO 8601 times; {path.name}, {where}{problem.text}"
            reader.report((*place, "validFrom"), text)
        elif problem.line and path.suffix == ".csv":
            text = f"a value of the column's type: {problem.text}"
            reader.report_in(path, problem.line, problem.column, text)
        else:
            at = next(key for key, column in named if column == problem.column)
            reader.report((*place, *at), f"{path.name}, {where}{problem.column}: {problem.text}")


def _unusable(schema: Any) -> tuple[str, bool] | None:
    """Return why a column of reference data cannot be of an Avro type, and whether no table could have it.

    None where it can.
    """
    try:
        # Here a type needs no name of its own.
        require_avro({"name": "column", **schema} if isinstance(schema, Mapping) else schema)
        kind = arrow_type(schema)
    except (ValueError, OverflowError) as error:
        return f"a type that a column can have: {error}", True
    if holds_time(kind):
        return "no time of day: Spark reads no table with one", True
    return (f"a type without parts, not {kind}", False) if is_nested(kind) else None
