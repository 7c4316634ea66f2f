"""The recount of topics from which Kafka removes records: it balances, and still finds what is wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from pyiceberg.manifest import DataFile

from headwater.produce.file import produce_file
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.run import ingest
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.topics import describe_topic
from pipeline.ledger.model import Entry, ledger_summary
from pipeline.ledger.verify import Recount, verify_ledger
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import OffsetCommit, commit, write_files
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets
from tests.support.cleaner import AT_ONCE, configure, count, hurry_cleaner, wait_until_cleaned
from tests.support.load import TopicWriter
from tests.support.products import own_product

CASES = Path(__file__).parent.parent / "data" / "cases"


@pytest.fixture(autouse=True)
def _hurry(cell: Cell) -> None:
    hurry_cleaner(cell.bootstrap_servers)


@pytest.fixture
def latest(tmp_path: Path) -> Product:
    """Fifty values of one key: all but the last can be compacted away."""
    return own_product("latest", tmp_path / "contracts", CASES / "compacted" / "only")


@pytest.fixture
def one_partition(strict_product: Product) -> Product:
    topic = strict_product.topic.model_copy(update={"partitions": 1})
    return strict_product.model_copy(update={"topic": topic})


def balanced(cell: Cell, product: Product) -> Recount:
    """Return the one partition's recount, which agrees with the ledger."""
    verification = verify_ledger(cell, product)
    assert verification.balanced, verification.problems
    (found,) = verification.recounts
    return found


def test_it_balances_before_while_and_after_kafka_compacts(
    cell: Cell, latest: Product, tmp_path: Path
) -> None:
    where = (cell.bootstrap_servers, latest.topic.name)
    produce_file(cell, latest, str(CASES / "compacted" / "rows.jsonl"))
    ingest(cell, latest, once=True)
    found = balanced(cell, latest)
    assert (found.readable, found.rows, found.unseen) == (50, 50, 0)

    configure(*where, AT_ONCE)
    two = tmp_path / "two.jsonl"
    for at in ("11:00", "11:01"):
        two.write_text(json.dumps({"id": "same", "at": f"2026-06-01T{at}:00Z", "x": 1}) + "\n")
        produce_file(cell, latest, str(two))
    seen = []
    while count(*where) > 2:
        seen.append(balanced(cell, latest).unseen)
    ingest(cell, latest, once=True)
    wait_until_cleaned(*where, most=2)

    verification = verify_ledger(cell, latest)
    assert verification.balanced, verification.problems
    (found,) = verification.recounts
    assert found.rows >= 51
    assert found.unseen == found.rows - found.readable
    assert any(f"the records of {found.unseen} rows" in one for one in verification.unproven)
    assert (found.made_up, found.passed_over, found.twins) == (0, 0, 0)


def test_duplicates_and_dead_letters_that_are_left_are_found_by_uuid(
    cell: Cell, one_partition: Product
) -> None:
    where = (cell.bootstrap_servers, one_partition.topic.name)
    writer = TopicWriter(cell, one_partition)
    writer.fill(300, poison_every=5)
    writer.abort(writer.events(3))
    report = ingest(cell, one_partition, once=True)
    before = balanced(cell, one_partition)
    assert (before.twins, before.dead_letters) == (report.duplicates, report.dead_letters)
    assert report.duplicates

    configure(*where, {**AT_ONCE, "cleanup.policy": "compact,delete"})
    for later in (1, 2):
        # A segment is closed by a record whose time is later than its first record's.
        now = time.time_ns() // 1_000_000
        writer.send(replace(one, time_ms=now + later) for one in writer.events(1))
    wait_until_cleaned(*where, most=before.readable - 10)
    after = balanced(cell, one_partition)
    assert after.unseen > 0

    # What was compacted stays compacted, whatever the topic's policy is now.
    configure(*where, {"cleanup.policy": "delete"})
    ingest(cell, one_partition, once=True)
    assert balanced(cell, one_partition).unseen >= after.unseen


def test_what_retention_has_deleted_is_left_to_the_tables(
    cell: Cell, one_partition: Product
) -> None:
    writer = TopicWriter(cell, one_partition)
    writer.send(writer.events(30))
    ingest(cell, one_partition, once=True)
    admin = AdminClient({"bootstrap.servers": cell.bootstrap_servers})
    (deleted,) = admin.delete_records([TopicPartition(one_partition.topic.name, 0, 12)]).values()
    deleted.result(30)
    found = balanced(cell, one_partition)
    assert (found.earliest, found.readable, found.unseen) == (12, 18, 12)


def skip(cell: Cell, product: Product, **counts: int) -> None:
    """Commit the next offset of partition 0 as the ledger's `counts`, without reading it."""
    events = load_table(cell, events_table(product.name))
    offsets = committed_offsets(events)
    assert offsets is not None
    end = offsets.next[0]
    with connect_admin(cell) as admin:
        identity = describe_topic(admin, product.topic.name)
    entry = Entry(0, end, end + 1, **counts)
    files: tuple[DataFile, ...] = ()
    if counts.get("rows"):
        rows = events.scan(limit=1).to_arrow()
        place = rows.column_names.index("_offset")
        offset = pa.array([end], pa.int64())
        made_up = rows.set_column(place, rows.schema.field("_offset"), offset)
        files = write_files(events, made_up)
    commit(
        events, files, OffsetCommit(identity, offsets.first, {0: end + 1}, ledger_summary((entry,)))
    )


def passed_over(cell: Cell, product: Product, writer: TopicWriter) -> str:
    writer.send(writer.events(1))
    skip(cell, product, compacted=1)
    return "1 records that are neither rows, nor dead letters, nor duplicates"


def called_a_duplicate(cell: Cell, product: Product, writer: TopicWriter) -> str:
    writer.send(writer.events(1))
    skip(cell, product, duplicates=1)
    return "1 records that are neither rows, nor dead letters, nor duplicates"


def made_up_of_a_marker(cell: Cell, product: Product, writer: TopicWriter) -> str:
    writer.abort(writer.events(1))
    skip(cell, product, rows=1)
    return "1 coordinates that never held a record"


@pytest.mark.parametrize("fault", [passed_over, called_a_duplicate, made_up_of_a_marker])
def test_a_fault_is_found_on_a_topic_that_compacts(
    cell: Cell,
    one_partition: Product,
    fault: Callable[[Cell, Product, TopicWriter], str],
) -> None:
    where = (cell.bootstrap_servers, one_partition.topic.name)
    writer = TopicWriter(cell, one_partition)
    configure(*where, {"cleanup.policy": "compact"})
    writer.send(writer.events(20))
    ingest(cell, one_partition, once=True)
    said = fault(cell, one_partition, writer)
    verification = verify_ledger(cell, one_partition)
    assert not verification.balanced
    assert any(said in problem for problem in verification.problems), verification.problems


def test_a_duplicate_that_never_was_is_found(cell: Cell, one_partition: Product) -> None:
    writer = TopicWriter(cell, one_partition)
    writer.send(writer.events(5))
    ingest(cell, one_partition, once=True)
    writer.abort(writer.events(1))
    skip(cell, one_partition, duplicates=1)
    (problem,) = verify_ledger(cell, one_partition).problems
    assert "1 were never in Kafka" in problem
