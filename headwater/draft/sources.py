"""What a contract is drafted from: rows of a file, records of a topic, a subject of a registry."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kafka import TopicPartition

from headwater.draft.protobuf import Record, as_record, most_indexes, rows_of, schema_of
from headwater.draft.render import TopicFacts
from headwater.produce.rows import open_source
from pipeline.avro.decoding.single import UnreadableValueError, reader
from pipeline.cells import Cell
from pipeline.errors import TerminalError
from pipeline.kafka.connect import connect_admin, connect_consumer
from pipeline.kafka.topics import describe_topic, earliest_offsets, stable_offsets, topic_settings
from pipeline.rows.json_value import unframed
from pipeline.schemas import wire
from pipeline.schemas.open import open_registry
from pipeline.schemas.registry import Registry, SchemaNotFoundError
from pipeline.schemas.texts import PROTOBUF, SchemaText

MOST_ROWS = 2_000
POLL_MS = 2_000
_LATENESS_S = (3_600, 86_400, 7 * 86_400, 30 * 86_400, 366 * 86_400)


class NothingToDraftError(TerminalError):
    """A contract cannot be drafted from what is there."""


@dataclass(frozen=True)
class Seen:
    """What was seen of events.

    Attributes:
        source: what it is of, in words.
        rows: values as JSON has them.
        schema: the Avro schema that they were written with, or are read as; None of JSON.
        keys: of the records, one for each row; none where there are no records.
        times: of the records, in ms since 1970, one for each row.
        topic: the topic; None where there is none yet.
        left_out: path of each field that has no type -> why.
        guesses: path of each field whose type may be another -> which, and why.
        proto: the .proto text that they were written with, where it needs no other.
    """

    source: str
    rows: Sequence[Mapping[str, Any]]
    schema: Mapping[str, Any] | None = None
    keys: Sequence[bytes | None] = ()
    times: Sequence[int] = ()
    topic: TopicFacts | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    guesses: Mapping[str, str] = field(default_factory=dict)
    proto: str | None = None


def see_file(name: str) -> Seen:
    """Return the first rows of a file, as `headwater produce --from` names it.

    Raises:
        SourceFileError: it cannot be read.
        NothingToDraftError: it has no rows.
    """
    source = open_source(name)
    rows: list[Mapping[str, Any]] = []
    for row in source.rows():
        if row.values is not None:
            rows.append(
                {key: _plain(value, texts=source.texts) for key, value in row.values.items()}
            )
        if len(rows) == MOST_ROWS:
            break
    if not rows:
        raise _nothing(f"file {name}", "it has no rows.")
    return Seen(f"the file {source.path.name}", rows)


def see_subject(cell: Cell, subject: str) -> Seen:
    """Return the newest schema of a subject in the cell's registry.

    Raises:
        SchemaNotFoundError: there is no such subject.
        RegistryUnavailableError, RegistryRefusedError: the registry does not answer, or refuses.
    """
    registry = open_registry(cell)
    newest = registry.text_version(subject)
    if newest.schema.type == PROTOBUF:
        facts = TopicFacts(subject.removesuffix("-value"), "protobuf")
        made = as_record(schema_of(registry, newest.schema).message((0,)))
        source = f"version {newest.version} of {subject}"
        return _of_protobuf(source, newest.schema, made, facts, (0,))
    latest = registry.latest(subject)
    topic = TopicFacts(subject.removesuffix("-value"), "avro")
    return Seen(f"version {latest.version} of {subject}", (), latest.schema, topic=topic)


def see_topic(cell: Cell, name: str) -> Seen:
    """Return the newest records of a topic, of each partition as many. Commits nothing, belongs to no group.

    Raises:
        TopicMissingError, BrokerUnavailableError, KafkaAccessError: as `describe_topic`.
        NothingToDraftError: it has no records, or none that are JSON objects or of the cell's registry.
    """
    with connect_admin(cell) as admin:
        identity = describe_topic(admin, name)
        first = earliest_offsets(admin, name, identity.partitions)
        ends = stable_offsets(admin, name, identity.partitions)
        settings = topic_settings(admin, name)
        described = admin.describe_topics([name])[0]["partitions"][0]
    facts = TopicFacts(
        name,
        "json",
        len(identity.partitions),
        len(described["replica_nodes"]),
        settings["message.timestamp.type"],
        "compact" if "compact" in settings["cleanup.policy"] else "delete",
        int(settings["retention.ms"]),
    )
    records = _read(cell, name, first, ends)
    if not records:
        raise _nothing(f"topic {name}", "it has no records.")
    framed = [record for record in records if record.value and record.value[:1] == b"\0"]
    seen = _as_json(name, records, facts)
    if len(seen.rows) < len(records) / 2 and framed:
        seen = _as_framed(cell, name, framed, facts)
    if not seen.rows:
        raise _nothing(
            f"topic {name}",
            "its values are neither JSON objects nor Avro or Protobuf that the cell's registry knows.",
        )
    return seen


def lateness(event_times_ms: Sequence[float], record_times_ms: Sequence[int]) -> int:
    """Return a gate in seconds that lets through twice what records were late by."""
    late = (
        max((r - e for e, r in zip(event_times_ms, record_times_ms, strict=True)), default=0) / 500
    )
    return next((one for one in _LATENESS_S if one >= late), _LATENESS_S[-1])


def _read(cell: Cell, name: str, first: Mapping[int, int], ends: Mapping[int, int]) -> list[Any]:
    each = max(1, MOST_ROWS // max(1, len(ends)))
    begin = {p: max(first[p], end - each) for p, end in ends.items() if end > first[p]}
    found: list[Any] = []
    with connect_consumer(cell) as consumer:
        consumer.assign([TopicPartition(name, partition) for partition in begin])
        for partition, offset in begin.items():
            consumer.seek(TopicPartition(name, partition), offset)
        while any(consumer.position(TopicPartition(name, p)) < ends[p] for p in begin):
            polled = consumer.poll(POLL_MS)
            if not polled:
                break
            found += [record for records in polled.values() for record in records]
    return found[:MOST_ROWS]


def _as_json(name: str, records: Sequence[Any], facts: TopicFacts) -> Seen:
    kept = [(record, value) for record in records if (value := _object(record.value)) is not None]
    return Seen(
        f"the topic {name}",
        [value for _, value in kept],
        keys=[record.key for record, _ in kept],
        times=[record.timestamp for record, _ in kept],
        topic=facts,
    )


def _as_framed(cell: Cell, name: str, records: Sequence[Any], facts: TopicFacts) -> Seen:
    """Return records of the newest schema that the registry has of them."""
    registry = open_registry(cell)
    framed = [one for one in records if len(one.value) >= wire.HEADER_BYTES]
    newest: tuple[int, SchemaText] | None = None
    for schema_id in sorted({wire.split(one.value)[0] for one in framed}):
        try:
            newest = (schema_id, registry.text(schema_id))
        except SchemaNotFoundError:
            continue
    if newest is None:
        return Seen(f"the topic {name}", ())
    schema_id, text = newest
    if text.type == PROTOBUF:
        of_it = [one for one in framed if wire.split(one.value)[0] == schema_id]
        return _as_protobuf(registry, name, text, of_it, facts)
    return _as_avro(name, schema_id, registry.schema(schema_id), framed, facts)


def _as_protobuf(
    registry: Registry, name: str, text: SchemaText, records: Sequence[Any], facts: TopicFacts
) -> Seen:
    indexes = most_indexes(records)
    message = schema_of(registry, text).message(indexes)
    made = as_record(message)
    kept = rows_of(message, indexes, made.schema, records) if made.schema["fields"] else []
    seen = _of_protobuf(f"the topic {name}", text, made, replace(facts, format="protobuf"), indexes)
    return replace(
        seen,
        rows=[row for _, row in kept],
        keys=[record.key for record, _ in kept],
        times=[record.timestamp for record, _ in kept],
    )


def _of_protobuf(
    source: str, text: SchemaText, made: Record, facts: TopicFacts, indexes: tuple[int, ...]
) -> Seen:
    alone = indexes == (0,) and not text.references
    return Seen(
        source,
        (),
        made.schema,
        topic=facts,
        left_out=made.left_out,
        guesses=made.guesses,
        proto=text.text if alone else None,
    )


def _as_avro(
    name: str,
    schema_id: int,
    schema: Mapping[str, Any],
    records: Sequence[Any],
    facts: TopicFacts,
) -> Seen:
    read = reader(schema, schema)
    kept = []
    for record in records:
        found, body = wire.split(record.value)
        try:
            if found == schema_id and isinstance(value := read(body), Mapping):
                kept.append((record, value))
        except (UnreadableValueError, ValueError):
            continue
    return Seen(
        f"the topic {name}",
        [value for _, value in kept],
        schema,
        [record.key for record, _ in kept],
        [record.timestamp for record, _ in kept],
        replace(facts, format="avro"),
    )


def _object(value: bytes | None) -> Mapping[str, Any] | None:
    try:
        found = json.loads(unframed(value or b""))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _plain(value: Any, *, texts: bool) -> Any:
    """Return a value as JSON has it; of a CSV a text that is a number, or says yes or no, is that."""
    if isinstance(value, dict):
        return {key: _plain(one, texts=False) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one, texts=False) for one in value]
    is_number_text = isinstance(value, str) and type(value) is not str
    if isinstance(value, str) and (texts or is_number_text):
        return _of_text(str(value)) if texts else json.loads(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _of_text(text: str) -> Any:
    if text in ("", "NA", "NaN", "null", "NULL"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for read in (int, float):
        try:
            return (
                read(text)
                if text.strip() == text and not (text[:1] == "0" and text[1:2].isdigit())
                else text
            )
        except ValueError:
            continue
    return text


def _nothing(subject: str, what: str) -> NothingToDraftError:
    return NothingToDraftError(
        what,
        subject=subject,
        remedy="Name another source: --from-topic, --from-registry or --from-sample.",
    )
