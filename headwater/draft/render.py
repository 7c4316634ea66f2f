"""The files of a drafted contract: YAML with a comment wherever a person has to decide. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headwater.draft.choose import Choices
from headwater.draft.infer import Inferred
from pipeline.avro.schema import field_types
from pipeline.contract.targets.avro import odcs_types

PROTO_FILE = "schemas/value.v1.proto"


@dataclass(frozen=True)
class TopicFacts:
    """What is known of the topic: Kafka's own figures; None where nobody has asked it.

    Attributes:
        retention_ms: of Kafka; -1 is for ever.
        late_s: what a gate for late records should let through.
        debezium: whether its values are changes that Debezium captured.
    """

    name: str
    format: str
    partitions: int | None = None
    replication: int | None = None
    record_time: str = "CreateTime"
    cleanup: str = "delete"
    retention_ms: int = 7 * 24 * 3_600_000
    late_s: int = 7 * 86_400
    debezium: bool = False


def schema_text(schema: Mapping[str, Any]) -> str:
    """Return the .avsc file."""
    return json.dumps(schema, indent=2) + "\n"


def contract_text(
    name: str,
    cell: str,
    source: str,
    topic: TopicFacts,
    found: Inferred,
    choices: Choices,
    rows: int,
    *,
    proto: bool = False,
) -> str:
    """Return contract.yaml; `source` is what it was drafted from, `rows` how much of it was seen.

    `proto` says that it names the file that producers' messages are described in.
    """
    return (
        "\n".join(
            [
                *_head(name, source, rows),
                *_settings(cell, topic, choices, proto=proto),
                *_schema(name, topic, found, choices),
            ]
        )
        + "\n"
    )


def _head(name: str, source: str, rows: int) -> Iterator[str]:
    yield f"# Drafted from {source}; {rows:,} records were seen. Lines marked `guess` are to be decided."
    yield "apiVersion: v3.1.0"
    yield "kind: DataContract"
    yield f"id: urn:draft:{name}"
    yield f"name: {_quoted(name)}"
    yield "version: 0.1.0"
    yield "status: draft"
    yield "domain: unknown # guess: whose is it?"
    yield "description:"
    yield f"  purpose: Records of {name}. # guess: what are they for?"
    yield "team:"
    yield "  name: unknown # guess: who answers for it?"


def _settings(cell: str, topic: TopicFacts, choices: Choices, *, proto: bool) -> Iterator[str]:
    yield ""
    yield "customProperties:"
    yield "  - property: headwater"
    yield "    value:"
    yield f"      cells: [{cell}]"
    why = choices.why
    yield f"      key: {choices.key} # guess: {why.get('key', '')}"
    yield f"      eventTime: {choices.event_time} # guess: {why.get('eventTime', '')}"
    if choices.uuid:
        yield f"      uuid: {choices.uuid} # guess: {choices.why['uuid']}"
    elif topic.debezium:
        yield "      # each record is an event of its own: a connector that goes on sends changes again"
    else:
        yield "      # guess: no field tells an event that was sent twice; with `uuid` one would"
    yield "      schemas:"
    yield f"        format: {topic.format}"
    yield f"        envelope: {'debezium' if topic.debezium else 'none'}"
    yield "        payload:"
    yield "          - schemas/payload.v1.avsc"
    if proto:
        yield f"        proto: [{PROTO_FILE}]"
    yield "      gates:"
    late = _duration(topic.late_s * 1_000)
    yield f"        late: {late} # guess: older records become dead letters"
    yield "      topic:"
    if topic.partitions is None:
        yield "        # guess: nobody has asked Kafka; these are for a topic that is to be made"
        yield "        partitions: 4"
    else:
        yield f"        partitions: {topic.partitions}"
        yield f"        replication: {topic.replication}"
    yield f"        recordTime: {topic.record_time}"
    yield f"        cleanup: {topic.cleanup}"
    hot = "forever" if topic.retention_ms < 0 else _duration(topic.retention_ms)
    yield f"        retention: {{hot: {hot}, warm: forever}} # guess: events are kept for ever"


def _schema(name: str, topic: TopicFacts, found: Inferred, choices: Choices) -> Iterator[str]:
    yield ""
    yield "schema:"
    yield f"  - name: {name}"
    yield f"    physicalName: {_quoted(topic.name)}"
    yield "    physicalType: topic"
    yield "    description: One record an event. # guess: what is one record?"
    for path, why in found.left_out.items():
        yield f"    # left out: {path}: {why}"
    yield "    properties:"
    for field, type_ in field_types(found.schema).items():
        yield from _property(field, type_, found, choices)


def _property(name: str, type_: Any, found: Inferred, choices: Choices) -> Iterator[str]:
    kinds = odcs_types(type_)
    share = choices.nulls.get(name, 0)
    seen = f" Null in {share:.0%} of what was seen." if share else ""
    yield f"      - name: {name}"
    guess = f" # guess: {found.guesses[name]}" if name in found.guesses else ""
    yield f"        logicalType: {kinds[0]}{guess}"
    yield f"        description: {_quoted(f'To be described.{seen}')}"
    if name in choices.personal:
        yield f"        classification: pii # guess: {choices.personal[name]}"
        yield "        tags: [pii]"
    if rules := choices.rules.get(name):
        yield "        quality: # guess: all that was seen is so"
        for rule in rules:
            yield "          - type: custom"
            yield "            engine: pandera"
            yield "            implementation:"
            yield f"              check: {rule.check}"
            yield f"              arguments: {json.dumps(rule.arguments)}"


def _duration(ms: int) -> str:
    units = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"))
    return next((f"{ms // size}{unit}" for size, unit in units if ms and ms % size == 0), f"{ms}ms")


def _quoted(text: str) -> str:
    return json.dumps(text)
