"""Setting offsets aside: dead letters with their own bytes, in the ledger, and past what ingest refuses."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner
from polars.exceptions import ComputeError

from headwater.cli.ingest import ingest as ingest_commands
from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import ExitCode
from pipeline.ingest.failures.failed_batch import BatchFailedError
from pipeline.ingest.operations.quarantine import (
    NotQuarantinedError,
    QuarantineState,
    list_quarantines,
    quarantine,
)
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from tests.support.commands import command_for
from tests.support.fault import Fault
from tests.support.judge import judge
from tests.support.load import TopicWriter

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def writer(cell: Cell, strict_product: Product) -> TopicWriter:
    return TopicWriter(cell, strict_product)


def rows(cell: Cell, product: Product) -> list[tuple[int, int]]:
    held = load_table(cell, events_table(product.name)).scan().to_arrow()
    return sorted(
        zip(*(held.column(c).to_pylist() for c in ("_topic_partition", "_offset")), strict=True)
    )


def letters(cell: Cell, product: Product) -> list[dict[str, Any]]:
    held = load_table(cell, dead_letters_table(product.name)).scan().to_arrow().to_pylist()
    return sorted(held, key=lambda row: (row["_topic_partition"], row["_offset"]))


def set_aside(cell: Cell, product: Product, partition: int, start: int, end: int) -> None:
    quarantine(cell, product, partition, start, end, reason="why", by="ann", clock=lambda: NOW)


def test_records_of_the_range_are_dead_letters_with_their_own_bytes_and_all_others_land(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    # Sound, broken, and sound again under another key.
    messages = [writer.event(0) for _ in range(4)]
    messages[2] = writer.poison("text")
    messages = [type(m)(0, m.key, m.value, m.time_ms, m.headers) for m in messages]
    writer.send([*messages, writer.event(1)])
    set_aside(cell, strict_product, 0, 1, 3)
    # Of offsets that nobody has written yet, and once more of some.
    set_aside(cell, strict_product, 0, 5, 9)
    set_aside(cell, strict_product, 0, 2, 3)

    report = ingest(cell, strict_product, once=True)

    assert (report.rows, report.reasons) == (3, {"quarantined": 2})
    assert rows(cell, strict_product) == [(0, 0), (0, 3), (1, 0)]
    for letter, message in zip(letters(cell, strict_product), messages[1:3], strict=True):
        assert letter["reason"] == "quarantined"
        assert letter["detail"] == f"set aside by ann at {NOW.isoformat()}: why"
        assert (letter["record_key"], letter["record_value"]) == (message.key, message.value)
        assert [(h["key"], h["value"]) for h in letter["headers"]] == list(message.headers)
    found = [(one.state, one.dead_letters) for one in list_quarantines(cell, strict_product)]
    assert found == [
        (QuarantineState.PASSED, 2),
        (QuarantineState.PENDING, 0),
        (QuarantineState.PASSED, 1),
    ]

    writer.send([writer.event(0) for _ in range(6)])
    report = ingest(cell, strict_product, once=True)
    assert (report.rows, report.reasons) == (2, {"quarantined": 4})
    assert rows(cell, strict_product)[2:4] == [(0, 4), (0, 9)]
    assert judge(cell, strict_product).exact
    assert verify_ledger(cell, strict_product).balanced


def test_ingest_goes_on_past_what_it_refuses_once_that_is_set_aside(
    monkeypatch: pytest.MonkeyPatch, cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.send([writer.event(number % 2, note=note) for number, note in enumerate("abcdef")])
    Fault(
        monkeypatch,
        "sort",
        lambda frame: {"b", "d"} <= set(frame.get_column("note").to_list()),
        ComputeError("no"),
    )
    with pytest.raises(BatchFailedError) as refused:
        ingest(cell, strict_product, once=True)
    where = next(r for r in refused.value.ranges if r.partition == 1)
    set_aside(cell, strict_product, where.partition, where.start, where.end)

    report = ingest(cell, strict_product, once=True)

    assert (report.rows, report.reasons) == (3, {"quarantined": 3})
    writer.send([writer.event(1)])
    assert ingest(cell, strict_product, once=True).rows == 1
    assert judge(cell, strict_product).exact
    assert verify_ledger(cell, strict_product).balanced


def test_a_running_ingest_heeds_it_from_its_next_batch_on(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.send([writer.event(0), writer.event(1)])
    stop, reports, first = threading.Event(), [], threading.Event()
    running = threading.Thread(
        target=lambda: reports.append(
            ingest(cell, strict_product, stop=stop, on_commit=lambda _: first.set())
        )
    )
    running.start()
    assert first.wait(60)
    set_aside(cell, strict_product, 0, 1, 3)
    writer.send([writer.event(0) for _ in range(3)])
    until = time.monotonic() + 60
    while len(rows(cell, strict_product)) < 3 and time.monotonic() < until:
        time.sleep(0.2)
    stop.set()
    running.join(30)
    assert rows(cell, strict_product) == [(0, 0), (0, 3), (1, 0)]
    assert reports[0].reasons == {"quarantined": 2}
    assert judge(cell, strict_product).exact


def test_commands_at_the_same_time_lose_no_quarantine(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.send([writer.event(0)])
    threads = [
        threading.Thread(
            target=set_aside, args=(cell, strict_product, number % 2, 10 * number, 10 * number + 5)
        )
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = sorted(one.quarantine.start for one in list_quarantines(cell, strict_product))
    assert held == [0, 10, 20, 30, 40, 50]


@pytest.mark.parametrize(
    ("partition", "start", "end", "said"),
    [
        (0, 1, 9, "offsets below 2 are ingested already.* Set 2..9 aside"),
        (0, 0, 2, "offsets below 2 are ingested already.* What became of them"),
        (0, 5, 5, "holds no offset"),
        (7, 0, 1, "no such partition"),
    ],
)
def test_what_cannot_be_set_aside_is_refused_by_name(
    cell: Cell,
    strict_product: Product,
    writer: TopicWriter,
    partition: int,
    start: int,
    end: int,
    said: str,
) -> None:
    writer.send([writer.event(0), writer.event(0)])
    ingest(cell, strict_product, once=True)
    with pytest.raises(NotQuarantinedError, match=said):
        set_aside(cell, strict_product, partition, start, end)
    assert list_quarantines(cell, strict_product) == ()


def test_the_command_sets_aside_and_tells(
    monkeypatch: pytest.MonkeyPatch, cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    writer.send([writer.event(0), writer.event(0)])
    command = command_for(cell, strict_product)
    monkeypatch.setenv("HEADWATER_HOME", str(command.home))
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(command.contracts))
    called = ("quarantine", strict_product.name, "--cell", "us")
    given = ("--partition", "0", "--offsets", "1..2", "--reason", "INC-12", "--by", "ann")

    def told(*arguments: str) -> Any:
        return json.loads(CliRunner().invoke(ingest_commands, arguments).stdout)

    done = told(*called, *given, "--json")
    assert (done["start"], done["end"], done["by"]) == (1, 2, "ann")
    assert ingest(cell, strict_product, once=True).reasons == {"quarantined": 1}
    (one,) = told(*called, "--list", "--json")
    assert (one["state"], one["dead_letters"], one["reason"]) == ("passed", 1, "INC-12")
    again = command.run("ingest", *called, *given)
    assert again.code == ExitCode.TERMINAL
    assert "offsets below 2 are ingested already" in again.err
    assert CliRunner().invoke(ingest_commands, called).exit_code == ExitCode.USAGE
