"""Headwater's own settings: the value of the contract's custom property `headwater`.

docs/reference/contract.md describes every key. Keys are camelCase, as ODCS's own.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationError,
)

from pipeline.contract.model import Gates, Retention, Topic
from pipeline.contract.settings.generate import GenerateSection
from pipeline.contract.settings.invalid import report_invalid
from pipeline.contract.settings.section import Section
from pipeline.contract.settings.units import (
    Bytes,
    Flag,
    Real,
    Seconds,
    Text,
    Whole,
    parse_duration_ms,
    parse_instant,
)
from pipeline.contract.source.document import Loc
from pipeline.contract.source.reader import ContractReader

FOREVER = "forever"
TOPIC_NAME = r"[A-Za-z0-9._-]{1,249}"
NO_ENVELOPE = "none"
DEBEZIUM = "debezium"
BARE = (NO_ENVELOPE, DEBEZIUM)
"""What `schemas.envelope` says where there is no file of one."""
REQUIRED = ("cells", "key", "eventTime", "schemas")


def _retention_ms(text: object) -> int:
    return -1 if text == FOREVER else parse_duration_ms(text)


RetentionMs = Annotated[int, BeforeValidator(_retention_ms)]


def _both_forever(value: object) -> object:
    if isinstance(value, str) and value != FOREVER:
        raise ValueError(f"forever, or {{hot: <duration>, warm: <duration>}}; not {value!r}")
    return {"hot": FOREVER, "warm": FOREVER} if value == FOREVER else value


def _each_once(value: list[str]) -> list[str]:
    for one in value:
        if value.count(one) > 1:
            raise ValueError(f"each once; {one!r} is here twice")
    return value


def _topic_name(value: str) -> str:
    if not re.fullmatch(TOPIC_NAME, value):
        raise ValueError(f"a topic's name: letters, digits, `.`, `_` and `-`; not {value!r}")
    return value


def _start(value: object) -> str | datetime:
    if value in ("earliest", "latest"):
        return str(value)
    try:
        return parse_instant(value)
    except ValueError as error:
        raise ValueError(f"earliest, latest or {error}") from None


class RetentionSection(Section):
    """`topic.retention`."""

    hot: RetentionMs = Retention().hot_ms
    warm: RetentionMs = Retention().warm_ms


class TopicSection(Section):
    """`topic`."""

    partitions: Whole = Field(default=Topic.model_fields["partitions"].default, ge=1, le=10_000)
    replication: Whole = Field(default=Topic.model_fields["replication"].default, ge=1)
    record_time: Literal["CreateTime", "LogAppendTime"] = "CreateTime"
    cleanup: Literal["delete", "compact"] = "delete"
    history: Flag = False
    retention: Annotated[RetentionSection, BeforeValidator(_both_forever)] = RetentionSection()
    start: Annotated[Any, PlainValidator(_start)] = "earliest"


class GatesSection(Section):
    """`gates`."""

    payload: Bytes = Field(default=Gates().payload_bytes, ge=1)
    freshness: Seconds = Field(default=Gates().freshness_s, gt=0)
    late: Seconds | None = None
    ahead: Seconds = Gates().ahead_s


class SchemasSection(Section):
    """`schemas`: paths of .avsc files in the contract's folder, and what of versions not among them."""

    format: Literal["avro", "json", "protobuf"] = "avro"
    framing: Literal["confluent", "singleObject", "none"] = "confluent"
    envelope: str
    payload: Annotated[list[str], AfterValidator(_each_once)] = Field(min_length=1)
    proto: Annotated[list[str], AfterValidator(_each_once)] = []
    unlisted: Literal["keep", "wait", "deadLetter"] = "keep"


class ReferenceSection(Section):
    """One of `references`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    source: str
    on: list[Text] = Field(min_length=1)
    columns: list[Text]
    valid_from: Text | None = None
    types: dict[str, Any] = {}


CellName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class ProductSettings(Section):
    """The whole value. What is required is None only while a contract has mistakes."""

    cells: Annotated[list[CellName], AfterValidator(_each_once)] | None = Field(
        default=None, min_length=1
    )
    key: str | None = None
    event_time: str | None = None
    uuid: str | None = None
    schemas: SchemasSection | None = None
    topic: TopicSection = TopicSection()
    gates: GatesSection = GatesSection()
    references: list[ReferenceSection] = []
    allowed_lateness: Seconds = 300.0
    first_hour: Annotated[Any, PlainValidator(parse_instant)] = None
    dead_letter_topic: Annotated[str, AfterValidator(_topic_name)] | None = None
    generate: GenerateSection = GenerateSection()


class SloSection(Section):
    """The custom property `headwater` of an SLA property."""

    target: Real = Field(default=0.999, gt=0, lt=1)
    window: Seconds = Field(default=30 * 86_400.0, gt=0)


def read_product_settings(reader: ContractReader) -> tuple[ProductSettings, Loc]:
    """Return the settings with their place; sections with mistakes are as if left out."""
    loc = reader.custom_property((), "headwater")
    if loc is None:
        reader.report(("customProperties",), "a custom property `headwater`")
        return ProductSettings(), ()
    raw = reader.at(loc)
    if not isinstance(raw, dict):
        reader.report(loc, f"a mapping, not {raw!r}")
        return ProductSettings(), loc
    try:
        settings = ProductSettings.model_validate(raw)
    except ValidationError as error:
        report_invalid(reader, loc, error, ProductSettings)
        wrong = {detail["loc"][0] for detail in error.errors()}
        rest = {key: value for key, value in raw.items() if key not in wrong}
        settings = ProductSettings.model_validate(rest)
    for key in REQUIRED:
        if raw.get(key) is None:
            reader.report((*loc, key), f"required key: {key!r}")
    return settings, loc
