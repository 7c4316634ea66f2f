"""Commits that race, whose answer is lost, or that were undone: every record is there once."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from pyiceberg.exceptions import CommitStateUnknownException
from sqlalchemy.exc import OperationalError

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import RetryableError
from pipeline.ingest.limits import Limits
from pipeline.ingest.run import ingest
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.topics import describe_topic
from pipeline.ledger.model import ledger_summary
from pipeline.ledger.verify import verify_ledger
from pipeline.tables.catalog import load_table
from pipeline.tables.commit import CommitConflictError, OffsetCommit, commit
from pipeline.tables.layout import dead_letters_table, events_table
from pipeline.tables.offsets import committed_offsets
from pipeline.tables.snapshots import TableRolledBackError
from tests.support.attempts import catch_up, start
from tests.support.catalog_seam import CatalogSeam
from tests.support.catalogs import CATALOGS, EVERYWHERE
from tests.support.judge import judge
from tests.support.load import SMALL_POISON, TopicWriter

SIDE, EVENTS = 1, 2
"""The order of a first micro-batch's commits."""
BATCH = Limits(max_records=200)


@pytest.fixture
def writer(cell: Cell, strict_product: Product) -> TopicWriter:
    return TopicWriter(cell, strict_product)


def assert_exactly_once(cell: Cell, product: Product) -> None:
    findings = judge(cell, product)
    assert findings.exact, findings
    assert findings.readable
    verification = verify_ledger(cell, product)
    assert verification.balanced, verification.problems


def poison_only(writer: TopicWriter) -> None:
    writer.send([writer.poison(kind) for kind in SMALL_POISON for _ in range(10)])


def mixed(writer: TopicWriter) -> None:
    writer.fill(300)


@pytest.mark.parametrize("cell", CATALOGS, indirect=True)
@pytest.mark.parametrize("fill", [mixed, poison_only])
def test_two_processes_at_once(
    cell: Cell, strict_product: Product, writer: TopicWriter, fill: Callable[[TopicWriter], None]
) -> None:
    for _ in range(3):
        fill(writer)
    both = [start(cell, strict_product, max_records=60) for _ in range(2)]
    assert [attempt.wait() for attempt in both] == [0, 0]
    assert_exactly_once(cell, strict_product)


@pytest.mark.parametrize("fill", [mixed, poison_only])
@pytest.mark.parametrize("lost_race", [SIDE, EVENTS])
def test_another_writer_commits_the_same_range_first(
    cell: Cell,
    strict_product: Product,
    writer: TopicWriter,
    monkeypatch: pytest.MonkeyPatch,
    fill: Callable[[TopicWriter], None],
    lost_race: int,
) -> None:
    # A lost race is no failure: no patience is needed.
    monkeypatch.setattr("pipeline.ingest.loop.MAX_FAILURES", 0)
    fill(writer)
    seam = CatalogSeam(monkeypatch)
    seam.before(lost_race, lambda: catch_up(cell, strict_product))
    report = ingest(cell, strict_product, once=True)
    assert report.offsets == 0, "the other writer's commits are not this one's"
    assert_exactly_once(cell, strict_product)


def test_another_writer_commits_a_part_of_the_range_first(
    cell: Cell, strict_product: Product, writer: TopicWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed(writer)
    seam = CatalogSeam(monkeypatch)

    def die_midway() -> None:
        attempt = start(
            cell, strict_product, failpoint="ingest.after_event_commit:2", max_records=60
        )
        assert attempt.wait() == -signal.SIGKILL

    seam.before(EVENTS, die_midway)
    ingest(cell, strict_product, once=True)
    assert_exactly_once(cell, strict_product)


def test_a_range_of_poison_alone_still_makes_a_snapshot_for_the_fence(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    poison_only(writer)
    report = ingest(cell, strict_product, once=True)
    assert report.rows == 0
    events = load_table(cell, events_table(strict_product.name))
    offsets = committed_offsets(events)
    assert offsets is not None
    assert events.metadata.current_snapshot_id == offsets.snapshot_id


@pytest.mark.parametrize("cell", EVERYWHERE, indirect=True)
def test_a_stale_commit_is_refused_and_not_rebased(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    mixed(writer)
    ingest(cell, strict_product, once=True)
    stale = load_table(cell, events_table(strict_product.name))
    mixed(writer)
    ingest(cell, strict_product, once=True)
    offsets = committed_offsets(stale)
    assert offsets is not None
    with connect_admin(cell) as admin:
        identity = describe_topic(admin, strict_product.topic.name)
    with pytest.raises(CommitConflictError):
        commit(stale, (), OffsetCommit(identity, offsets.first, offsets.next, ledger_summary(())))
    assert_exactly_once(cell, strict_product)


def test_hidden_retries_stay_allowed_for_maintenance(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    mixed(writer)
    ingest(cell, strict_product, once=True)
    for name in (events_table(strict_product.name), dead_letters_table(strict_product.name)):
        assert "commit.retry.num-retries" not in load_table(cell, name).properties


@pytest.mark.parametrize("overtaken", [SIDE, EVENTS])
@pytest.mark.parametrize("times", [1, 30])
def test_maintenance_that_commits_first_costs_no_second_reading(
    cell: Cell,
    strict_product: Product,
    writer: TopicWriter,
    monkeypatch: pytest.MonkeyPatch,
    overtaken: int,
    times: int,
) -> None:
    mixed(writer)
    ingest(cell, strict_product, once=True)
    mixed(writer)
    name = (dead_letters_table if overtaken == SIDE else events_table)(strict_product.name)

    def maintain() -> None:
        # A commit that moves main and leaves the offsets alone, as a rewrite of files does.
        load_table(cell, name).delete("_offset < 0")
        transaction = load_table(cell, name).transaction()
        with transaction.update_snapshot().fast_append():
            pass
        transaction.commit_transaction()

    seam = CatalogSeam(monkeypatch)
    for number in range(overtaken, overtaken + times):
        seam.before(number, maintain)
    retries: list[RetryableError] = []
    report = ingest(
        cell, strict_product, once=True, on_retry=lambda error, _: retries.append(error)
    )
    assert (report.commits, retries) == (1, [])
    assert seam.commits == 2 + times, "two commits, and one of them again and again"
    assert_exactly_once(cell, strict_product)


LOST_ANSWERS = [
    OperationalError("COMMIT", {}, Exception("database is locked")),
    CommitStateUnknownException("no answer"),
    ConnectionResetError("reset by peer"),
    TimeoutError("timed out"),
]


@pytest.mark.parametrize("number", [SIDE, EVENTS])
@pytest.mark.parametrize("error", LOST_ANSWERS, ids=lambda error: type(error).__name__)
def test_a_commit_that_landed_and_whose_answer_was_lost(
    cell: Cell,
    strict_product: Product,
    writer: TopicWriter,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    error: BaseException,
) -> None:
    mixed(writer)
    CatalogSeam(monkeypatch).lose_response(number, error)
    ingest(cell, strict_product, once=True)
    assert_exactly_once(cell, strict_product)


@pytest.mark.parametrize("number", [SIDE, EVENTS])
def test_a_commit_that_failed_before_it_landed(
    cell: Cell,
    strict_product: Product,
    writer: TopicWriter,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    mixed(writer)

    def fail() -> None:
        raise OperationalError("COMMIT", {}, Exception("database is locked"))

    CatalogSeam(monkeypatch).before(number, fail)
    ingest(cell, strict_product, once=True)
    assert_exactly_once(cell, strict_product)


@pytest.mark.parametrize("name_of", [events_table, dead_letters_table])
def test_a_table_that_was_rolled_back_is_refused(
    cell: Cell, strict_product: Product, writer: TopicWriter, name_of: Callable[[str], str]
) -> None:
    name = name_of(strict_product.name)
    mixed(writer)
    ingest(cell, strict_product, once=True)
    before = load_table(cell, name).metadata.current_snapshot_id
    mixed(writer)
    ingest(cell, strict_product, once=True)
    ahead = load_table(cell, name).metadata.current_snapshot_id
    assert before is not None
    assert ahead is not None
    load_table(cell, name).manage_snapshots().rollback_to_snapshot(before).commit()

    with pytest.raises(TableRolledBackError) as refusal:
        ingest(cell, strict_product, once=True)
    assert str(ahead) in str(refusal.value)

    load_table(cell, name).manage_snapshots().set_current_snapshot(ahead).commit()
    ingest(cell, strict_product, once=True)
    assert_exactly_once(cell, strict_product)


def test_on_a_redo_what_is_a_dead_letter_stays_one_though_the_gates_were_opened(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.send([*writer.events(50), *(writer.poison("stale") for _ in range(20))])
    die_between_the_commits(cell, strict_product)
    opened = strict_product.gates.model_copy(update={"freshness_s": 1e9, "late_s": None})
    report = ingest(cell, strict_product.model_copy(update={"gates": opened}), once=True)
    assert (report.rows, report.dead_letters) == (50, 20)
    assert_exactly_once(cell, strict_product)


def test_on_a_redo_what_fails_only_now_becomes_a_dead_letter(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.send([*writer.events(50), writer.poison("text")])
    die_between_the_commits(cell, strict_product)
    shut = strict_product.gates.model_copy(update={"payload_bytes": 1})
    report = ingest(cell, strict_product.model_copy(update={"gates": shut}), once=True)
    assert (report.rows, report.dead_letters) == (0, 51)
    assert_exactly_once(cell, strict_product)


def die_between_the_commits(cell: Cell, product: Product) -> None:
    attempt = start(cell, product, failpoint="ingest.after_dead_letter_commit", max_records=10_000)
    assert attempt.wait() == -signal.SIGKILL


def test_a_slow_writer_cannot_finish_what_another_with_other_gates_has_redone(
    cell: Cell, strict_product: Product, writer: TopicWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.send([*writer.events(50), writer.poison("text")])
    shut = strict_product.gates.model_copy(update={"payload_bytes": 1})
    stricter = strict_product.model_copy(update={"gates": shut})
    seam = CatalogSeam(monkeypatch)
    # The first has committed its dead letters when the second finds that every record is one, says
    # so in the dead letters, and dies.
    seam.before(EVENTS, lambda: die_between_the_commits(cell, stricter))
    report = ingest(cell, strict_product, once=True)
    assert (report.rows, report.dead_letters) == (0, 51)
    assert_exactly_once(cell, strict_product)


def test_a_redo_that_adds_nothing_fences_out_one_that_would(
    cell: Cell, strict_product: Product, writer: TopicWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.send([*writer.events(50), writer.poison("text")])
    die_between_the_commits(cell, strict_product)
    shut = strict_product.gates.model_copy(update={"payload_bytes": 1})
    stricter = strict_product.model_copy(update={"gates": shut})
    for turn in (1, 2, 3):
        writer.send([*writer.events(20), writer.poison("text")])
        with monkeypatch.context() as patch:
            seam = CatalogSeam(patch)
            seam.before(turn, lambda: redo_with(cell, stricter))
            ingest(cell, strict_product, once=True)
        assert_exactly_once(cell, strict_product)
        writer.send(writer.events(5))
        die_between_the_commits(cell, strict_product)


def redo_with(cell: Cell, product: Product) -> None:
    ingest(cell, product, once=True)
