"""A broker that dies in the middle of an ingest, and comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater.stack.broker import KafkaBroker
from headwater.stack.jars import ensure_jars
from headwater.stack.ports import free_port
from headwater.stack.process import Process
from pipeline.cells import Cell, embedded_cell, save_cell
from pipeline.contract.model import Product
from pipeline.errors import RetryableError
from pipeline.ingest.limits import Limits
from pipeline.ingest.report import CommittedBatch
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.settings import load_settings
from tests.support.judge import judge
from tests.support.load import TopicWriter

BATCH = Limits(max_records=100)


class MortalBroker:
    """A broker of the test's own, which it may kill."""

    def __init__(self, root: Path) -> None:
        jars = ensure_jars(load_settings().cache, "kafka", print)
        self._broker = KafkaBroker(root, jars, free_port(), free_port(), root / "kafka.log")
        self._process: Process = self._broker.start()
        self.bootstrap_servers = self._broker.bootstrap_servers

    def kill(self) -> None:
        self._process.kill()

    def revive(self) -> None:
        if not self._process.alive:
            self._process = self._broker.start()

    def stop(self) -> None:
        self._process.stop()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[MortalBroker]:
    broker = MortalBroker(tmp_path / "kafka")
    yield broker
    broker.stop()


@pytest.fixture
def lonely_cell(home: Path, mortal: MortalBroker) -> Cell:
    cell = embedded_cell(home, "us", mortal.bootstrap_servers)
    save_cell(home, cell)
    return cell


def test_a_broker_that_dies_in_the_middle_costs_neither_records_nor_a_restart(
    lonely_cell: Cell, strict_product: Product, mortal: MortalBroker
) -> None:
    TopicWriter(lonely_cell, strict_product).fill(1_500)
    commits: list[CommittedBatch] = []
    retries: list[RetryableError] = []
    stop = threading.Event()

    def committed(commit: CommittedBatch) -> None:
        commits.append(commit)
        if len(commits) == 3:
            mortal.kill()
        if commit.lag == 0:
            stop.set()

    def retrying(error: RetryableError, _seconds: float) -> None:
        retries.append(error)
        mortal.revive()

    ingest(
        lonely_cell,
        strict_product,
        limits=BATCH,
        stop=stop,
        on_commit=committed,
        on_retry=retrying,
    )

    assert retries
    assert len(commits) == 15
    assert judge(lonely_cell, strict_product).exact
    assert verify_ledger(lonely_cell, strict_product).balanced


def test_an_ingest_that_is_to_end_by_itself_names_the_broker_that_died(
    lonely_cell: Cell, strict_product: Product, mortal: MortalBroker
) -> None:
    TopicWriter(lonely_cell, strict_product).fill(500)
    with pytest.raises(RetryableError):
        ingest(
            lonely_cell,
            strict_product,
            once=True,
            limits=BATCH,
            on_commit=lambda _: mortal.kill(),
        )
    mortal.revive()
    ingest(lonely_cell, strict_product, once=True)
    assert judge(lonely_cell, strict_product).exact
    assert verify_ledger(lonely_cell, strict_product).balanced
