"""A data product, as its contract states it: frozen, validated, free of any format's details."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.tables.layout import history_table, product_table

EVENTS = "events"
"""The table of a product's events, as contracts name it."""
PII = "pii"
"""The classification, or tag, of personal data."""


class Model(BaseModel):
    """Frozen, and no key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Retention(Model):
    """How long records are kept, in milliseconds; -1 is for ever.

    `hot_ms` is Kafka's own retention; `warm_ms` is how long rows stay in the events table, by event time.
    """

    hot_ms: int = Field(default=7 * 24 * 3_600_000, ge=-1)
    warm_ms: int = Field(default=-1, ge=-1)

    @property
    def forever(self) -> bool:
        """Whether Kafka never deletes a record for its age."""
        return self.hot_ms == -1

    @property
    def events(self) -> timedelta | None:
        """How long rows stay in the events table; None for ever."""
        return None if self.warm_ms == -1 else timedelta(milliseconds=self.warm_ms)


class Topic(Model):
    """The Kafka topic of a product.

    `record_time` says whose clock a record's timestamp is: the broker's (LogAppendTime) or the
    producer's (CreateTime). `envelope` says whether values are Headwater envelopes; without one,
    uuid, key and event time come from the payload's own fields. `debezium` says that the payload is a change
    that Debezium captured. `format` says what values are: Avro in `framing`, Protobuf in Confluent's, or JSON
    objects, in that framing or plain. `history` says that records with old times are loaded; under
    CreateTime the broker would delete them, unless it keeps records for ever.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,249}$")
    partitions: int = Field(default=4, ge=1, le=10_000)
    replication: int = Field(default=3, ge=1)
    record_time: Literal["CreateTime", "LogAppendTime"] = "CreateTime"
    cleanup: Literal["delete", "compact"] = "delete"
    history: bool = False
    retention: Retention = Retention()
    envelope: bool = True
    debezium: bool = False
    format: Literal["avro", "json", "protobuf"] = "avro"
    framing: Literal["confluent", "singleObject", "none"] = "confluent"
    start: Literal["earliest", "latest"] | datetime = "earliest"

    @property
    def has_schema_ids(self) -> bool:
        """Whether a value says the id of its schema in the registry: its payload's, or its envelope's."""
        return self.format != "json" and self.framing == "confluent"


class Gates(Model):
    """Thresholds of the record gates; a record past one is a dead letter.

    `late_s` None is the strict gate: older than `freshness_s` is a dead letter. Otherwise older is
    `late` up to `late_s`, and a dead letter beyond. `ahead_s` bounds how far an event time may lie
    ahead of record time. All in seconds but `payload_bytes`.
    """

    payload_bytes: int = Field(default=1_048_576, ge=1)
    freshness_s: float = Field(default=10.0, gt=0)
    late_s: float | None = Field(default=None, gt=0)
    ahead_s: float = Field(default=300.0, ge=0)


class Column(Model):
    """What the contract says of one column: an Avro field of the payload, or a derived table's.

    `sources` are the columns that a derived column is computed from, as `table.column`.
    """

    name: str
    description: str = ""
    classification: str | None = None
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def personal(self) -> bool:
        """Whether its values are personal data, which no report may show."""
        return PII in (self.classification, *self.tags)


class Rule(Model):
    """A business rule on one payload column: a built-in pandera check by its name.

    Breaking it alerts and continues; the row is kept.
    """

    column: str
    check: str
    arguments: dict[str, Any] = {}
    description: str = ""


class Reference(Model):
    """Reference data joined to each event (left join on equal values of `on`), as of event time.

    `source` is `file:<path in the contract's folder>` or `package:<package>/<path>`; CSV or Parquet.
    `columns` are those that events get; with none, only derived tables read the data. `valid_from`
    names the data's column that says from when a row holds: of several rows of equal `on`, the one
    with the latest time not after the event's counts. None: rows hold always. `types` are Avro schemas
    of columns of the data.
    """

    name: str
    source: str
    on: tuple[str, ...] = Field(min_length=1)
    columns: tuple[str, ...]
    valid_from: str | None = None
    types: dict[str, Any] = {}


class Expectation(Model):
    """A Great Expectations expectation on a table: its snake_case type and arguments."""

    type: str = Field(pattern=r"^(expect_[a-z_]+|unexpected_rows_expectation)$")
    kwargs: dict[str, Any] = {}
    description: str = ""


class Logic(Model):
    """How a derived table is computed: the text of `file`.

    `sql` is one Spark SQL statement over views named as what it reads; `python` is a module with a
    function `build(inputs: pipeline.batch.compute.inputs.Inputs) -> pyspark.sql.DataFrame`. Incremental by
    `hour` it computes one hour. By `timeRange` it computes any hours that adjoin, and gives the column
    `hour` itself; SQL may name the range as `:start` and `:end`, Python is given `RangeInputs`.
    """

    language: Literal["sql", "python"]
    text: str
    file: Path
    incremental_by: Literal["hour", "timeRange"] = "hour"


class Read(Model):
    """Hours of a table that one hour is computed from: `hours` of them, the last `back` hours before.

    `table` is `events` or a derived table of the same product.
    """

    table: str
    hours: int = Field(default=1, ge=1, le=24 * 366)
    back: int = Field(default=0, ge=0, le=24 * 366)


class Drift(Model):
    """How far a column's distribution may move from one hour to the next.

    `most` bounds the Kullback-Leibler divergence (nats) from the hour published last before.
    """

    column: str
    most: float = Field(gt=0)


class Feature(Model):
    """What makes a derived table a feature table: who it is about, and how long a value holds.

    Its builds are kept for good in a history; the table itself has one row an `entity` and
    `partitions`. `ttl_s` is how long after its time a value may be used, in seconds.
    """

    entity: tuple[str, ...] = Field(min_length=1)
    ttl_s: float = Field(gt=0)
    partitions: tuple[str, ...] = Field(min_length=1)
    drift: tuple[Drift, ...] = ()


class LatePolicy(Model):
    """When late rows are worth building an hour again.

    As soon as they are `share` of the hour's rows, or once `wait_s` seconds have passed since the hour
    was last published; None waits until the gates let no more of them through, and a day.
    """

    share: float = Field(default=0.01, gt=0, le=1)
    wait_s: float | None = Field(default=None, ge=0)


class DerivedTable(Model):
    """A table computed hour by hour from the product's events, or from other such tables.

    The logic gives the table's columns without the hour; the engine adds `hour`, but where it is
    incremental by `timeRange`. `handover` is a SQL predicate over the table's own rows: the only ones
    that later hours of the same table may read.
    `folder`, `owner`, `domain` and `version` are of the contract that declares it, which need not be
    the product's.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str = ""
    logic: Logic
    reads: tuple[Read, ...] = (Read(table="events"),)
    references: tuple[str, ...] = ()
    handover: str | None = None
    feature: Feature | None = None
    late: LatePolicy = LatePolicy()
    columns: tuple[Column, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    owner: str
    domain: str
    version: str
    folder: Path

    @property
    def depends_on_past(self) -> bool:
        """Whether it reads its own earlier hours (Airflow's and SQLMesh's word)."""
        return any(read.table == self.name for read in self.reads)

    @property
    def drift(self) -> tuple[Drift, ...]:
        """How far its columns may move from hour to hour; none unless it is a feature table."""
        return self.feature.drift if self.feature else ()


class Slo(Model):
    """A service level objective as ODCS states it: property, value and unit.

    `target` is the share (0 to 1) of the window `window_s` (seconds) in which it must hold.
    """

    property: str
    value: float
    unit: str
    element: str | None = None
    description: str = ""
    target: float = Field(default=0.999, gt=0, lt=1)
    window_s: float = Field(default=30 * 86_400.0, gt=0)


class Product(Model):
    """One data product: everything that its folder under contracts/ says.

    Attributes:
        name: also its Iceberg namespace and its folder's name.
        version: the contract's semantic version.
        cells: the cells it lives in.
        key: payload field that keys records (with an envelope: the envelope's key, this names its source; of
            Debezium's changes: a field of the row). It, `event_time` and `uuid` may be paths (`meta.id`).
        event_time: payload field that holds event time; with an envelope, the envelope's timestamp rules.
        uuid: payload field that holds the uuid where there is no envelope; None derives one from coordinates.
        payload_schemas: Avro schemas of the payload, oldest first; version N is the N-th, from 1.
        unlisted: what becomes of records whose payload version the registry knows and the contract does
            not list: rows with the record's value kept beside them, left to wait in Kafka, or dead letters.
        derived_tables: each after those that it reads; other contracts may add some.
        allowed_lateness_s: how long after an hour's end its fence is taken, in seconds.
        first_hour: the first hour that is built without being asked for; None where it says none.
        dead_letter_topic: the compacted topic that dead letters are fed to; None for none.
        folder: where the contract was read from.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: str
    owner: str
    domain: str
    description: str
    cells: tuple[str, ...] = Field(min_length=1)
    topic: Topic
    key: str
    event_time: str
    uuid: str | None = None
    envelope_schema: dict[str, Any] | None
    payload_schemas: tuple[dict[str, Any], ...] = Field(min_length=1)
    proto: tuple[str, ...] = ()
    unlisted: Literal["keep", "wait", "deadLetter"] = "keep"
    columns: tuple[Column, ...] = ()
    gates: Gates = Gates()
    rules: tuple[Rule, ...] = ()
    references: tuple[Reference, ...] = ()
    derived_tables: tuple[DerivedTable, ...] = ()
    slos: tuple[Slo, ...] = ()
    allowed_lateness_s: float = Field(default=300.0, ge=0)
    first_hour: datetime | None = None
    dead_letter_topic: str | None = None
    folder: Path

    @property
    def payload_schema(self) -> dict[str, Any]:
        """The newest payload schema: what rows are read as."""
        return self.payload_schemas[-1]

    @property
    def key_paths(self) -> tuple[str, ...]:
        """Paths of the payload that say an event's key, the first that is not null: of a change its row's."""
        return (f"after.{self.key}", f"before.{self.key}") if self.topic.debezium else (self.key,)

    @property
    def subjects(self) -> Mapping[str, int]:
        """Registry subjects of the topic, and how many versions the contract lists; none without ids."""
        if not self.topic.has_schema_ids:
            return {}
        if self.proto:
            return {self.value_subject: len(self.proto)}
        listed = len(self.payload_schemas)
        return {
            self.value_subject: 1 if self.topic.envelope else listed,
            self.payload_subject: listed,
        }

    @property
    def value_subject(self) -> str:
        """Registry subject of the record value (the envelope, where there is one)."""
        return f"{self.topic.name}-value"

    @property
    def payload_subject(self) -> str:
        """Registry subject of the payload: the value's own where there is no envelope."""
        return f"{self.topic.name}-payload" if self.topic.envelope else self.value_subject


def published_table(product: Product, derived_table: DerivedTable) -> str:
    """Return the identifier of the table that a derived table's hours are published in."""
    identify = product_table if derived_table.feature is None else history_table
    return identify(product.name, derived_table.name)
