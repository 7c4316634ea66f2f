"""What a machine may do to an ingest: signals, a locked catalog, a full disk, a broker that is gone."""

from __future__ import annotations

import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import ExitCode, RetryableError
from pipeline.ingest.limits import Limits
from pipeline.ingest.run import ingest
from pipeline.kafka.errors import BrokerUnavailableError
from pipeline.ledger.read import read_ledger
from pipeline.ledger.verify import verify_ledger
from tests.support.commands import Command, command_for
from tests.support.judge import judge
from tests.support.load import TopicWriter

STOP_S = 10.0
"""How long an ingest that is told to end may take."""


@pytest.fixture
def writer(cell: Cell, strict_product: Product) -> TopicWriter:
    return TopicWriter(cell, strict_product)


@pytest.fixture
def command(cell: Cell, strict_product: Product) -> Command:
    return command_for(cell, strict_product)


def run_line(product: Product, cell: Cell, *options: str) -> tuple[str, ...]:
    return ("ingest", "run", product.name, "--cell", cell.name, *options)


def assert_exactly_once(cell: Cell, product: Product) -> None:
    findings = judge(cell, product)
    assert findings.exact, findings
    assert findings.readable
    verification = verify_ledger(cell, product)
    assert verification.balanced, verification.problems


@contextmanager
def locked_catalog(cell: Cell) -> Iterator[sqlite3.Connection]:
    """Hold the write lock of the cell's catalog; rolling back frees it before the block ends."""
    path = cell.catalog_uri.removeprefix("sqlite:///")
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.close()


def data_files(cell: Cell) -> int:
    return sum(1 for _ in cell.root.rglob("*.parquet"))


ENDINGS = [(signal.SIGTERM, ExitCode.TERMINATED), (signal.SIGINT, ExitCode.INTERRUPTED)]


@pytest.mark.parametrize(("number", "code"), ENDINGS, ids=lambda value: value.name)
def test_a_signal_ends_a_busy_ingest_at_a_commit_boundary(
    cell: Cell,
    strict_product: Product,
    writer: TopicWriter,
    command: Command,
    number: signal.Signals,
    code: ExitCode,
) -> None:
    writer.fill(4_000)
    running = command.start(*run_line(strict_product, cell, "--max-records", "50"))
    running.wait_for(lambda: data_files(cell) >= 4)
    result = running.end(number, within_s=STOP_S)
    assert result.code == code, result.err
    assert "Traceback" not in result.err
    committed = read_ledger(cell, strict_product).totals.offsets
    assert 0 < committed < 4_000
    ingest(cell, strict_product, once=True)
    assert_exactly_once(cell, strict_product)


def test_sigterm_ends_an_ingest_that_has_caught_up(
    cell: Cell, strict_product: Product, writer: TopicWriter, command: Command
) -> None:
    writer.fill(100)
    running = command.start(*run_line(strict_product, cell))
    running.wait_for(lambda: caught_up(cell, strict_product, 100))
    result = running.end(signal.SIGTERM, within_s=STOP_S)
    assert result.code == ExitCode.TERMINATED, result.err
    assert_exactly_once(cell, strict_product)


def test_sigterm_abandons_a_commit_that_waits_for_the_catalog(
    cell: Cell, strict_product: Product, writer: TopicWriter, command: Command
) -> None:
    writer.fill(100)
    ingest(cell, strict_product, once=True)
    writer.fill(100)
    before = data_files(cell)
    with locked_catalog(cell):
        running = command.start(*run_line(strict_product, cell))
        running.wait_for(lambda: data_files(cell) > before)
        result = running.end(signal.SIGTERM, within_s=STOP_S)
    assert result.code == ExitCode.TERMINATED, result.err
    ingest(cell, strict_product, once=True)
    assert_exactly_once(cell, strict_product)


def test_sigterm_ends_an_ingest_that_waits_for_a_broker(
    cell: Cell, strict_product: Product
) -> None:
    nowhere = replace(cell, bootstrap_servers=f"127.0.0.1:{closed_port()}")
    command = command_for(nowhere, strict_product)
    running = command.start(*run_line(strict_product, cell))
    running.wait_for(lambda: "retrying" in running.err.read_text())
    result = running.end(signal.SIGTERM, within_s=STOP_S)
    assert result.code == ExitCode.TERMINATED, result.err
    assert "Traceback" not in result.err


def test_a_catalog_that_is_locked_for_a_while_is_waited_for(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.fill(100)
    ingest(cell, strict_product, once=True)
    writer.fill(100)
    with locked_catalog(cell) as lock:
        threading.Timer(3.0, lock.execute, ["ROLLBACK"]).start()
        report = ingest(cell, strict_product, once=True)
    assert report.offsets == 100
    assert_exactly_once(cell, strict_product)


@pytest.mark.parametrize("is_new", [True, False], ids=["before its tables exist", "in full run"])
def test_a_catalog_that_stays_locked_is_a_named_error_that_may_be_retried(
    cell: Cell,
    strict_product: Product,
    writer: TopicWriter,
    monkeypatch: pytest.MonkeyPatch,
    is_new: bool,
) -> None:
    writer.fill(100)
    if is_new:
        Path(cell.catalog_uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    else:
        ingest(cell, strict_product, once=True)
        writer.fill(100)
    monkeypatch.setattr("pipeline.catalogs.sqlite.LOCK_WAIT_S", 0.2)
    monkeypatch.setattr("pipeline.ingest.loop.MAX_FAILURES", 2)
    with locked_catalog(cell), pytest.raises(RetryableError):
        ingest(cell, strict_product, once=True)
    ingest(cell, strict_product, once=True)
    assert_exactly_once(cell, strict_product)


def test_a_disk_that_is_full_for_data_files_is_a_named_error_and_loses_nothing(
    cell: Cell, strict_product: Product, writer: TopicWriter, command: Command
) -> None:
    writer.fill(100)
    ingest(cell, strict_product, once=True)
    writer.fill(20_000, poison_every=500)
    full = replace(command, file_bytes=80_000)
    result = full.run(*run_line(strict_product, cell, "--once", "--json"))
    assert result.code == ExitCode.RETRYABLE, result.err
    assert "Traceback" not in result.err
    assert f"{strict_product.name}.events: its disk is full (mounted at /" in result.err
    # Space is back.
    ingest(cell, strict_product, once=True)
    assert_exactly_once(cell, strict_product)


def test_a_disk_that_is_full_for_the_catalog_is_tried_again_and_loses_nothing(
    cell: Cell, strict_product: Product, writer: TopicWriter, command: Command
) -> None:
    writer.fill(100)
    ingest(cell, strict_product, once=True)
    writer.fill(100)
    full = replace(command, file_bytes=32_768)
    running = full.start(*run_line(strict_product, cell))
    running.wait_for(lambda: "retrying" in running.err.read_text())
    result = running.end(signal.SIGTERM, within_s=STOP_S)
    assert result.code == ExitCode.TERMINATED, result.err
    assert "Traceback" not in result.err
    assert "disk" in result.err
    # Space is back.
    ingest(cell, strict_product, once=True)
    assert_exactly_once(cell, strict_product)


def test_a_broker_that_is_down_at_the_start_is_a_named_error(
    cell: Cell, strict_product: Product
) -> None:
    nowhere = replace(cell, bootstrap_servers=f"127.0.0.1:{closed_port()}")
    with pytest.raises(BrokerUnavailableError, match=nowhere.bootstrap_servers):
        ingest(nowhere, strict_product, once=True)


def test_micro_batches_may_be_as_small_as_one_record(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.fill(12)
    ingest(cell, strict_product, once=True, limits=Limits(max_records=1))
    assert_exactly_once(cell, strict_product)


def caught_up(cell: Cell, product: Product, offsets: int) -> bool:
    try:
        return read_ledger(cell, product).totals.offsets == offsets
    except Exception:  # noqa: BLE001 - the tables are being created
        return False


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
