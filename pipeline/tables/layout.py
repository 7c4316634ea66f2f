"""Names, columns, partitioning and keys of every table Headwater keeps: docs/reference/format.md in code."""

from __future__ import annotations

import pyarrow as pa

from pipeline.avro.arrow import UTC_MICROS

FORMAT_VERSION = 6
FORMAT_VERSION_PROPERTY = "headwater.format-version"

HOUR_COLUMN = "hour"
"""In every table that is computed hour by hour: start of the hour."""
EVENT_HOUR = "event_hour"
"""What events are partitioned by: no column may have its name."""
BUILD_COLUMN = "build"
"""In a feature's history: the `wap_id` of the staging that brought the row."""
FEATURE_TIME_COLUMN = "feature_time"
"""In rows joined to a feature's values: what time these are of."""
KNOWN_FROM_COLUMN = "known_from"
"""In rows joined to a feature's values: since when these have been known."""

RECORD_VALUE = "_record_value"
"""In events: the record's value as Kafka had it, where the contract did not list its payload version."""


COORDINATES = [
    pa.field("_topic", pa.string(), nullable=False),
    pa.field("_topic_id", pa.string(), nullable=False),
    pa.field("_topic_partition", pa.int32(), nullable=False),
    pa.field("_offset", pa.int64(), nullable=False),
]
"""Where a record stood in Kafka: the first columns of events and of dead letters."""

ORIGIN_COLUMNS = [
    pa.field("_replay_id", pa.string()),
    pa.field("_origin_partition", pa.int32()),
    pa.field("_origin_offset", pa.int64()),
]
"""Of a replayed record: what replayed it, and where it stood first; null in all others."""
HEADERS_TYPE = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))

EVENT_COLUMNS = [
    *COORDINATES,
    pa.field("_record_time", UTC_MICROS, nullable=False),
    pa.field("_ingested_at", UTC_MICROS, nullable=False),
    pa.field("_run_id", pa.string(), nullable=False),
    pa.field("_uuid", pa.string(), nullable=False),
    pa.field("_key", pa.string(), nullable=False),
    pa.field("_event_time", UTC_MICROS, nullable=False),
    pa.field("_schema_version", pa.int32(), nullable=False),
    pa.field("_late", pa.bool_(), nullable=False),
    pa.field("_traceparent", pa.string()),
    pa.field("_producer", pa.string()),
    pa.field("_job_id", pa.string()),
    pa.field(RECORD_VALUE, pa.binary()),
    *ORIGIN_COLUMNS,
]
"""Before the payload's own columns and those joined from reference data. Format 5 added the last three."""

DEAD_LETTER_SCHEMA = pa.schema(
    [
        *COORDINATES,
        pa.field("_record_time", UTC_MICROS, nullable=False),
        pa.field("_ingested_at", UTC_MICROS, nullable=False),
        pa.field("_run_id", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("record_key", pa.binary()),
        pa.field("record_value", pa.binary()),
        pa.field("headers", HEADERS_TYPE),
        *ORIGIN_COLUMNS,
    ]
)
"""The record's original bytes, why it is here, and where it stood. Format 5 added its origin."""

DEAD_LETTER_STATE_SCHEMA = pa.schema(
    [
        *COORDINATES,
        pa.field("state", pa.string(), nullable=False),
        pa.field("at", UTC_MICROS, nullable=False),
        pa.field("action_id", pa.string(), nullable=False),
        pa.field("origin_partition", pa.int32(), nullable=False),
        pa.field("origin_offset", pa.int64(), nullable=False),
        pa.field("replayed_partition", pa.int32()),
        pa.field("replayed_offset", pa.int64()),
        pa.field("record_key", pa.binary()),
        pa.field("record_value", pa.binary()),
        pa.field("headers", HEADERS_TYPE),
    ]
)
"""One row for each change of what became of one dead letter; the last three columns are what goes back."""

DEAD_LETTER_ACTION_SCHEMA = pa.schema(
    [
        pa.field("action_id", pa.string(), nullable=False),
        pa.field("at", UTC_MICROS, nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("step", pa.string(), nullable=False),
        pa.field("by", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("selection", pa.string(), nullable=False),
        pa.field("snapshot_id", pa.int64()),
        pa.field("fix", pa.string()),
        pa.field("selected", pa.int64(), nullable=False),
        pa.field("chosen", pa.int64(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
    ]
)
"""Two rows for each thing that was done with dead letters: as it began, and as it ended."""

PUBLICATION_SCHEMA = pa.schema(
    [
        pa.field("table", pa.string(), nullable=False),
        pa.field("hour", UTC_MICROS, nullable=False),
        pa.field("published_at", UTC_MICROS, nullable=False),
        pa.field("source_snapshot_id", pa.int64(), nullable=False),
        pa.field("staged_snapshot_id", pa.int64()),
        pa.field("published_snapshot_id", pa.int64()),
        pa.field("wap_id", pa.string(), nullable=False),
        pa.field("rows", pa.int64(), nullable=False),
        pa.field("contract_version", pa.string(), nullable=False),
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("expectations", pa.int32(), nullable=False),
        pa.field("source_rows", pa.int64()),
        pa.field("inputs", pa.string()),
        pa.field("digest", pa.string()),
        pa.field("handover", pa.string()),
    ]
)
"""One row a published hour; an empty hour has no snapshots and 0 rows. Format 1 lacks the last four."""

ALERT_SCHEMA = pa.schema(
    [
        pa.field("at", UTC_MICROS, nullable=False),
        pa.field("table", pa.string(), nullable=False),
        pa.field("hour", UTC_MICROS, nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("wap_id", pa.string()),
    ]
)
"""One row for each hour that was not published as it should be, and why."""


LEDGER_SCHEMA = pa.schema(
    [
        pa.field("partition", pa.int32(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("rows", pa.int64(), nullable=False),
        pa.field("duplicates", pa.int64(), nullable=False),
        pa.field("dead_letters", pa.int64(), nullable=False),
        pa.field("control", pa.int64(), nullable=False),
        pa.field("aborted", pa.int64(), nullable=False),
        pa.field("compacted", pa.int64(), nullable=False),
        pa.field("lost", pa.int64(), nullable=False),
        pa.field("late", pa.int64(), nullable=False),
        pa.field("invalid", pa.int64(), nullable=False),
        pa.field("out_of_order", pa.int64(), nullable=False),
        pa.field("snapshot_id", pa.int64(), nullable=False),
        pa.field("sequence_number", pa.int64(), nullable=False),
        pa.field("committed_at", UTC_MICROS, nullable=False),
        pa.field("run_id", pa.string()),
        pa.field("contract_version", pa.string()),
    ]
)
"""One row an entry of the ledger, kept from the summary of a snapshot of events."""

LINEAGE_TYPE = pa.list_(
    pa.struct(
        [
            pa.field("source", pa.string()),
            pa.field("topic_id", pa.string()),
            pa.field("partition", pa.int32()),
            pa.field("first_offset", pa.int64()),
            pa.field("last_offset", pa.int64()),
            pa.field("snapshot_id", pa.int64()),
        ]
    )
)
"""What rows came from: offsets of a topic, or a snapshot of a table."""

TABLE_CHANGES_SCHEMA = pa.schema(
    [
        pa.field("table", pa.string(), nullable=False),
        pa.field("snapshot_id", pa.int64(), nullable=False),
        pa.field("parent_id", pa.int64()),
        pa.field("sequence_number", pa.int64(), nullable=False),
        pa.field("committed_at", UTC_MICROS, nullable=False),
        pa.field("operation", pa.string()),
        pa.field("job", pa.string()),
        pa.field("run_id", pa.string()),
        pa.field("contract_version", pa.string()),
        pa.field("code_version", pa.string()),
        pa.field("reference_versions", pa.string()),
        pa.field("wap_id", pa.string()),
        pa.field("added_rows", pa.int64()),
        pa.field("deleted_rows", pa.int64()),
        pa.field("total_rows", pa.int64()),
        pa.field("source_topic", pa.string()),
        pa.field("source_topic_id", pa.string()),
        pa.field("partition", pa.int32()),
        pa.field("first_offset", pa.int64()),
        pa.field("last_offset", pa.int64()),
        pa.field("offset", pa.int64()),
        pa.field("hour", UTC_MICROS),
        pa.field("source_rows", pa.int64()),
        pa.field("rows", pa.int64()),
        pa.field("duplicates", pa.int64()),
        pa.field("dead_letters", pa.int64()),
        pa.field("control", pa.int64()),
        pa.field("aborted", pa.int64()),
        pa.field("compacted", pa.int64()),
        pa.field("lost", pa.int64()),
        pa.field("late", pa.int64()),
        pa.field("invalid", pa.int64()),
        pa.field("out_of_order", pa.int64()),
        pa.field("lineage", LINEAGE_TYPE),
    ]
)
"""One row for each source of each snapshot of a product's tables: a range of offsets, an hour, or none."""


STAGING_TAG = "staging"
"""Tags `staging-<hour>-<wap_id>` keep what is staged until it is published."""
BASE_TAG = "base"
"""Tags `base-<hour>-<wap_id>` keep main as it was staged on."""
BUILD_TAG = "build"
"""In events: tags `build-<run>` keep what hours are being built from."""

PARTITIONS_PENDING = "headwater.partitions-pending"
"""Property of a feature table whose partitions were changed and whose rows are still to be derived anew."""


def events_table(product: str) -> str:
    """Return the identifier of a product's events."""
    return f"{product}.events"


def dead_letters_table(product: str) -> str:
    """Return the identifier of a product's dead letters."""
    return f"{product}.dead_letters"


def dead_letter_states_table(product: str) -> str:
    """Return the identifier of what became of a product's dead letters."""
    return f"{product}.dead_letter_states"


def dead_letter_actions_table(product: str) -> str:
    """Return the identifier of what was done with a product's dead letters, by whom and why."""
    return f"{product}.dead_letter_actions"


def ledger_table(product: str) -> str:
    """Return the identifier of the ledger that outlives snapshots."""
    return f"{product}.ledger"


def table_changes_table(product: str) -> str:
    """Return the identifier of the changes of a product's tables, which outlive their snapshots."""
    return f"{product}.table_changes"


def publications_table(product: str) -> str:
    """Return the identifier of a product's publications."""
    return f"{product}.publications"


def alerts_table(product: str) -> str:
    """Return the identifier of a product's alerts."""
    return f"{product}.alerts"


def history_table(product: str, feature: str) -> str:
    """Return the identifier of every build of a feature table."""
    return f"{product}.{feature}_history"


def product_table(product: str, name: str) -> str:
    """Return the identifier of the derived table `name`: what its readers read."""
    return f"{product}.{name}"
