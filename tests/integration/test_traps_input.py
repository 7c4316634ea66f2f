"""Records that cannot be used: each a dead letter with its reason and its own bytes, none in the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.commit.tables import ensure_tables
from pipeline.ingest.run import ingest
from pipeline.ingest.transform.frame import dead_letter_rows
from pipeline.ingest.transform.records import DeadLetter, Reason
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.ledger.verify import verify_ledger
from pipeline.schemas.registry import RegistryDamagedError
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import OffsetCommit, commit, write_files
from pipeline.tables.layout import dead_letters_table, events_table
from tests.support.judge import judge
from tests.support.load import POISON, Message, TopicWriter


@pytest.fixture
def writer(cell: Cell, strict_product: Product) -> TopicWriter:
    return TopicWriter(cell, strict_product)


def letters(cell: Cell, product: Product) -> list[dict[str, Any]]:
    rows = load_table(cell, dead_letters_table(product.name)).scan().to_arrow().to_pylist()
    return sorted(rows, key=lambda row: (row["_topic_partition"], row["_offset"]))


@pytest.mark.parametrize("kind", sorted(POISON))
def test_poison_is_a_dead_letter_with_its_reason_and_original_bytes(
    cell: Cell, strict_product: Product, writer: TopicWriter, kind: str
) -> None:
    bad = writer.poison(kind)
    before, after = event_on(writer, bad.partition), event_on(writer, bad.partition)
    writer.send([before, bad, after])

    report = ingest(cell, strict_product, once=True)

    assert (report.rows, report.dead_letters) == (2, 1)
    assert report.reasons == {POISON[kind]: 1}
    (letter,) = letters(cell, strict_product)
    assert letter["reason"] == POISON[kind]
    assert letter["detail"]
    assert letter["record_value"] == bad.value
    assert letter["record_key"] == bad.key
    assert [(h["key"], h["value"]) for h in letter["headers"]] == list(bad.headers)
    assert (letter["_topic_partition"], letter["_offset"]) == (bad.partition, 1)
    assert letter["_topic"] == strict_product.topic.name
    assert judge(cell, strict_product).exact


def test_a_detail_that_no_bound_can_be_made_of_is_kept(
    quiet_cell: Cell, strict_product: Product
) -> None:
    # The last character before the surrogates, where a bound of sixteen characters ends.
    said = "ValueError: abc\ud7ff and more"
    record = RawRecord(0, 0, 0, b"k", b"v", (("\ud7ff" * 20, b"h"),))
    letter = DeadLetter(record, Reason.UNWRITABLE, said)
    _, side = ensure_tables(quiet_cell, strict_product)
    rows = dead_letter_rows([letter], TopicIdentity("c", "t", "i", (0,)), "run", datetime.now(UTC))
    files = write_files(side, rows)
    commit(side, files, OffsetCommit(TopicIdentity("c", "t", "i", (0,)), {0: 0}, {0: 1}, {}))
    (found,) = letters(quiet_cell, strict_product)
    assert found["detail"] == said
    assert found["headers"] == [{"key": "\ud7ff" * 20, "value": b"h"}]


def event_on(writer: TopicWriter, partition: int) -> Message:
    return next(m for m in writer.events(100) if m.partition == partition)


def test_every_kind_at_once_balances(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    filled = writer.fill(600, poison_every=5)
    report = ingest(cell, strict_product, once=True)
    assert report.rows == filled.events
    assert report.duplicates == filled.duplicates
    assert report.reasons == filled.reasons
    found = Counter(letter["reason"] for letter in letters(cell, strict_product))
    assert found == filled.reasons
    assert judge(cell, strict_product).exact
    assert verify_ledger(cell, strict_product).balanced


def test_a_registry_that_cannot_be_read_makes_no_dead_letters(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.send(writer.events(20))
    with unreadable(cell.registry_db), pytest.raises(RegistryDamagedError):
        ingest(cell, strict_product, once=True)
    assert load_table(cell, events_table(strict_product.name)).metadata.snapshots == []
    assert letters(cell, strict_product) == []
    assert ingest(cell, strict_product, once=True).rows == 20
    assert judge(cell, strict_product).exact


def test_headers_become_columns(cell: Cell, strict_product: Product, writer: TopicWriter) -> None:
    writer.send(writer.events(1))
    ingest(cell, strict_product, once=True)
    (row,) = load_table(cell, events_table(strict_product.name)).scan().to_arrow().to_pylist()
    assert (row["_producer"], row["_job_id"], row["_traceparent"]) == ("load", "test", None)


TIMES = {
    "none": (-1, "no_timestamp", datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)),
    "of the year 300000": (9_404_553_600_000_000, "out_of_range", datetime.max.replace(tzinfo=UTC)),
    "of the last millisecond": (2**63 - 1, "out_of_range", datetime.max.replace(tzinfo=UTC)),
}


def test_a_record_without_a_timestamp_or_with_one_of_no_year_is_told_as_such(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    set_topic(cell, strict_product, {"message.timestamp.after.max.ms": str(2**63 - 1)})
    strange = [replace(writer.event(0), time_ms=time) for time, _, _ in TIMES.values()]
    writer.send([one for each in strange for one in (each, writer.event(0))])

    report = ingest(cell, strict_product, once=True)

    assert report.rows == len(TIMES)
    told = [(letter["reason"], letter["_record_time"]) for letter in letters(cell, strict_product)]
    assert told == [(reason, time) for _, reason, time in TIMES.values()]
    assert judge(cell, strict_product).exact


def set_topic(cell: Cell, product: Product, settings: dict[str, str]) -> None:
    """Change settings of the product's topic."""
    entries = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        for key, value in settings.items()
    ]
    resource = ConfigResource(
        ConfigResource.Type.TOPIC, product.topic.name, incremental_configs=entries
    )
    admin = AdminClient({"bootstrap.servers": cell.bootstrap_servers})
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(30)


class unreadable:  # noqa: N801 - used as a statement
    """Keeps a file from being read as what it is, for the length of a block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = path.with_suffix(".kept")

    def __enter__(self) -> None:
        self._path.rename(self._kept)
        self._path.write_bytes(b"this is no database" * 100)

    def __exit__(self, *_: object) -> None:
        self._kept.rename(self._path)
