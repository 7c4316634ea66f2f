"""Whether a product's tables hold every record of its topic exactly once.

Written apart from what it judges: it imports nothing of Headwater (tests/unit/project/test_verifier.py holds
it to that), reads the topic with another client, and counts in SQL over plain table scans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
from pyiceberg.catalog import load_catalog

from tests.support.topic_reader import ConsumedPartition, UuidOf, read_topic, topic_id

SAMPLES = 5

EVENT_COLUMNS = ("_topic", "_topic_id", "_topic_partition", "_offset", "_uuid")
LETTER_COLUMNS = (
    "_topic",
    "_topic_id",
    "_topic_partition",
    "_offset",
    "record_key",
    "record_value",
)

VIEWS = """
CREATE VIEW event AS SELECT *, _topic_id = $id AND _topic = $topic AS mine FROM event_rows;
CREATE VIEW letter AS SELECT *, _topic_id = $id AND _topic = $topic AS mine FROM letter_rows;
CREATE VIEW held AS
    SELECT _topic_partition, _offset, mine FROM event
    UNION ALL SELECT _topic_partition, _offset, mine FROM letter;
"""

QUESTIONS = {
    # A record that is neither row nor dead letter is a duplicate, and its twin must be a row.
    "lost": """
        SELECT r.partition, r.offset, r.uuid FROM record r
        WHERE NOT EXISTS (
            FROM held h WHERE h.mine AND h._topic_partition = r.partition AND h._offset = r.offset)
        AND (r.uuid IS NULL OR r.uuid NOT IN (SELECT _uuid FROM event WHERE mine))""",
    "doubled": """
        SELECT 'uuid', any_value(_topic_partition), _uuid FROM event GROUP BY _uuid HAVING count(*) > 1
        UNION ALL
        SELECT 'coordinates', _topic_partition, _offset::VARCHAR FROM held
        GROUP BY _topic_partition, _offset HAVING count(*) > 1""",
    "foreign": """
        SELECT h._topic_partition, h._offset, h.mine FROM held h
        WHERE NOT h.mine OR NOT EXISTS (
            FROM record r WHERE r.partition = h._topic_partition AND r.offset = h._offset)""",
    "altered": """
        SELECT r.partition, r.offset, r.uuid FROM record r
        JOIN event e ON e._topic_partition = r.partition AND e._offset = r.offset
        WHERE r.uuid IS NOT NULL AND e._uuid <> r.uuid
        UNION ALL
        SELECT r.partition, r.offset, 'bytes' FROM record r
        JOIN letter l ON l._topic_partition = r.partition AND l._offset = r.offset
        WHERE l.record_value IS DISTINCT FROM r.value OR l.record_key IS DISTINCT FROM r.key""",
}


@dataclass(frozen=True)
class Findings:
    """What the verifier found.

    Attributes:
        readable: records that a read-committed consumer is given.
        rows, dead_letters: rows of the two tables.
        lost: records that are in neither table, nor is their uuid in events.
        doubled: uuids that stand twice in events, coordinates that stand twice in the two tables.
        foreign: rows whose coordinates are not in the topic.
        altered: rows whose uuid, dead letters whose bytes, are not the record's.
        samples: a few of each kind of fault.
    """

    readable: int
    rows: int
    dead_letters: int
    lost: int
    doubled: int
    foreign: int
    altered: int
    samples: Mapping[str, tuple[tuple[Any, ...], ...]]

    @property
    def exact(self) -> bool:
        """Whether every record is there exactly once, and nothing else is."""
        return not (self.lost or self.doubled or self.foreign or self.altered)


def verify_exactly_once(
    *,
    bootstrap_servers: str,
    topic: str,
    catalog_name: str,
    catalog: Mapping[str, str],
    namespace: str,
    uuid_of: UuidOf | None,
) -> Findings:
    """Compare `namespace`'s events and dead letters with all that can be read of `topic`.

    `catalog` is what PyIceberg opens it with. `uuid_of` tells a value's uuid; None compares coordinates
    alone.

    Raises:
        TopicUnreadableError: the topic could not be read to its end.
    """
    with closing(load_catalog(catalog_name, **catalog)) as opened:
        events = opened.load_table(f"{namespace}.events").scan(selected_fields=EVENT_COLUMNS)
        letters = opened.load_table(f"{namespace}.dead_letters").scan(
            selected_fields=LETTER_COLUMNS
        )
        return compare(
            read_topic(bootstrap_servers, topic, uuid_of),
            events.to_arrow(),
            letters.to_arrow(),
            topic=topic,
            identity=topic_id(bootstrap_servers, topic),
        )


def compare(
    records: Iterable[ConsumedPartition],
    events: pa.Table,
    letters: pa.Table,
    *,
    topic: str,
    identity: str,
) -> Findings:
    """Compare records with the rows of the two tables."""
    records = list(records)
    with duckdb.connect() as sql:
        sql.register("record", _columns(records))
        sql.register("event_rows", events)
        sql.register("letter_rows", letters)
        for view in VIEWS.split(";")[:-1]:
            # A view takes no parameters: both are Kafka's own words, free of quotes.
            sql.execute(view.replace("$topic", f"'{topic}'").replace("$id", f"'{identity}'"))
        faults = {name: sql.execute(question).fetchall() for name, question in QUESTIONS.items()}
    return Findings(
        readable=len(records),
        rows=events.num_rows,
        dead_letters=letters.num_rows,
        samples={name: tuple(rows[:SAMPLES]) for name, rows in faults.items() if rows},
        **{name: len(rows) for name, rows in faults.items()},
    )


def _columns(records: list[ConsumedPartition]) -> pa.Table:
    return pa.table(
        {
            "partition": pa.array([r.partition for r in records], pa.int32()),
            "offset": pa.array([r.offset for r in records], pa.int64()),
            "key": pa.array([r.key for r in records], pa.binary()),
            "value": pa.array([r.value for r in records], pa.binary()),
            "uuid": pa.array([r.uuid for r in records], pa.string()),
        }
    )
