"""The ledger stays honest where retention deletes rows: what it deleted balances, and nothing else does."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from pyiceberg.table import Table

from pipeline.cells import Cell
from pipeline.clock import HOUR, hour_of, utc_now
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.errors import RetryableError
from pipeline.ingest.limits import Limits
from pipeline.ingest.run import ingest
from pipeline.ledger.retention import RETENTION_PROPERTY, DeletedRows, retention_account
from pipeline.ledger.verify import Verification, verify_ledger
from pipeline.maintenance.plan import MaintenancePolicy
from pipeline.maintenance.retention.execute import RowsDoubledError
from pipeline.maintenance.run import maintain
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import events_table
from tests.support.commands import command_for
from tests.support.load import TopicWriter
from tests.support.products import own_product

EAGER = MaintenancePolicy(retain=timedelta(0), retain_last=1, min_files=2, min_manifests=2)


@dataclass
class Kept:
    """A product whose events of the last 66 minutes are kept, of three hours that have some."""

    cell: Cell
    product: Product
    writer: TopicWriter

    @property
    def events(self) -> Table:
        return load_table(self.cell, events_table(self.product.name))

    def ingest(self) -> None:
        ingest(self.cell, self.product, once=True, limits=Limits(max_records=100))

    def retain(self) -> datetime:
        """Delete what is kept no longer; return the hour before which everything is gone."""
        maintain(self.cell, self.product, EAGER)
        before = retention_account(self.events).before
        assert before is not None
        return before

    def verify(self) -> Verification:
        return verify_ledger(self.cell, self.product)

    def lose(self, where: str) -> None:
        """Delete one row, as nobody should."""
        row = self.events.scan(where, limit=1, selected_fields=("_topic_partition", "_offset"))
        (victim,) = row.to_arrow().to_pylist()[:1]
        partition, offset = victim["_topic_partition"], victim["_offset"]
        self.events.delete(f"_topic_partition = {partition} and _offset = {offset}")


@pytest.fixture(params=["envelope", "bare"])
def stage(cell: Cell, tmp_path: Path, request: pytest.FixtureRequest) -> Kept:
    folder = tmp_path / "contracts"
    own_product("strict_events", folder, bare=request.param == "bare")
    contract = folder / "strict_events" / "contract.yaml"
    replicas = "        replication: 1\n"
    kept = f"{replicas}        retention: {{hot: forever, warm: 66m}}\n"
    contract.write_text(contract.read_text().replace(replicas, kept))
    product = load_product(contract.parent)
    return Kept(cell, product, TopicWriter(cell, product, seed=7))


def old() -> str:
    """Return what holds for rows that retention deletes."""
    return f"_event_time < '{hour_of(utc_now() - timedelta(minutes=66)).isoformat()}'"


def test_it_balances_after_each_retention_with_duplicates_dead_letters_and_late_rows(
    stage: Kept,
) -> None:
    stage.writer.fill(600, transactions=2)
    stage.ingest()
    assert stage.verify().balanced
    before = stage.retain()
    verification = stage.verify()
    assert verification.problems == ()
    assert verification.balanced
    account = verification.ledger.retention
    assert account.before == before
    committed = verification.ledger.totals.rows
    assert 0 < account.rows < committed
    assert verification.unproven == ()
    assert stage.events.scan().to_arrow().num_rows == committed - account.rows
    # More of the same hours, and records again that were sent before.
    stage.writer.fill(300)
    stage.ingest()
    assert stage.verify().balanced, stage.verify().problems
    stage.retain()
    again = stage.verify()
    assert again.balanced, again.problems
    assert again.ledger.retention.rows > account.rows


def test_an_event_that_is_sent_again_after_its_row_was_deleted_balances(stage: Kept) -> None:
    events = stage.writer.events(60)
    stage.writer.send(events)
    stage.ingest()
    stage.retain()
    stage.writer.send(events)
    stage.ingest()
    assert stage.verify().balanced, stage.verify().problems
    stage.retain()
    assert stage.verify().balanced, stage.verify().problems


def test_what_kafka_has_removed_is_said_to_be_unproven(stage: Kept) -> None:
    stage.writer.send(stage.writer.events(100))
    stage.ingest()
    stage.retain()
    admin = AdminClient({"bootstrap.servers": stage.cell.bootstrap_servers})
    cuts = [TopicPartition(stage.product.topic.name, partition, 20) for partition in (0, 1)]
    for deleted in admin.delete_records(cuts).values():
        deleted.result(30)
    verification = stage.verify()
    assert verification.balanced, verification.problems
    assert any("rows that retention has deleted" in one for one in verification.unproven)


def lost_after(stage: Kept) -> str:
    before = stage.retain()
    stage.lose(f"_event_time >= '{before.isoformat()}'")
    return "records that are neither rows, nor dead letters, nor duplicates"


def lost_before(stage: Kept) -> str:
    stage.lose(old())
    stage.retain()
    return "; events hold "


def lost_between(stage: Kept) -> str:
    before = stage.retain()
    late = stage.writer.events(200)
    stage.writer.send(late)
    stage.ingest()
    stage.lose(f"_event_time < '{before.isoformat()}'")
    stage.retain()
    return "; events hold "


def told_of_too_many(stage: Kept) -> str:
    """A row is lost, and whoever lost it says that retention had deleted it."""
    before = stage.retain()
    victim = f"_topic_partition = 0 and _event_time >= '{before.isoformat()}'"
    stage.lose(victim)
    table = stage.events
    account = retention_account(table)
    more = replace(
        account, deleted=(account.deleted[0] + DeletedRows(0, 1, 0, 1), *account.deleted[1:])
    )
    with table.transaction() as transaction:
        transaction.set_properties({RETENTION_PROPERTY: more.to_json()})
    # One record, or more where the topic repeats the victim's uuid.
    return "records that are neither rows, nor dead letters, nor duplicates"


def deleted_by_another(stage: Kept) -> str:
    before = stage.retain()
    end = before + HOUR
    stage.events.delete(
        f"_event_time >= '{before.isoformat()}' and _event_time < '{end.isoformat()}'"
    )
    return "; events hold "


@pytest.mark.parametrize(
    "fault", [lost_after, lost_before, lost_between, told_of_too_many, deleted_by_another]
)
def test_a_row_that_goes_otherwise_is_found(stage: Kept, fault: Callable[[Kept], str]) -> None:
    stage.writer.fill(400)
    stage.ingest()
    said = fault(stage)
    verification = stage.verify()
    assert not verification.balanced
    assert any(said in problem for problem in verification.problems), verification.problems
    # It stays found: what comes later covers nothing up.
    stage.writer.fill(100)
    stage.ingest()
    stage.retain()
    assert not stage.verify().balanced


def test_a_row_that_stands_twice_is_not_deleted_but_told(stage: Kept) -> None:
    stage.writer.send(stage.writer.events(100))
    stage.ingest()
    stage.events.append(stage.events.scan(old(), limit=1).to_arrow())
    with pytest.raises(RowsDoubledError):
        maintain(stage.cell, stage.product, EAGER)
    assert any("more than once" in one for one in stage.verify().problems)


def test_the_command_tells_of_it_and_a_row_that_should_have_gone_is_no_fault(stage: Kept) -> None:
    stage.writer.fill(300)
    stage.ingest()
    headwater = command_for(stage.cell, stage.product)

    def told(command: str, *options: str) -> str:
        said = headwater.run(command, stage.product.name, "--cell", "us", *options)
        assert said.code == 0, said.out + said.err
        return said.out

    def ledger(*options: str) -> str:
        return told("ledger", "--verify", *options)

    assert "deleted by retention" not in ledger()
    assert "kept are those from" in told("maintain", "--explain")
    assert re.search(r'"hours_deleted": [12]', told("maintain", "--due", "--json"))
    assert "kept are those from" not in told("maintain", "--explain")
    before = retention_account(stage.events).before
    assert before is not None
    assert f"were deleted by retention: of hours before {before:%Y-%m-%dT%H}" in ledger()
    assert '"retention": {"before": "' in ledger("--json")


def test_beside_a_busy_ingest_nothing_is_lost_and_everything_balances(stage: Kept) -> None:
    stage.writer.fill(600)
    stage.ingest()
    stop, hours = threading.Event(), list[int]()

    def upkeep() -> None:
        while not stop.is_set():
            with suppress(RetryableError):
                done = maintain(stage.cell, stage.product, EAGER)
                hours.append(sum(one.hours_deleted for one in done))

    beside = threading.Thread(target=upkeep)
    beside.start()
    try:
        for _ in range(4):
            stage.writer.fill(300)
            stage.ingest()
    finally:
        stop.set()
        beside.join()
    assert sum(hours) > 2
    verification = stage.verify()
    assert verification.balanced, verification.problems
