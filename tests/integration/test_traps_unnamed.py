"""Errors that nobody named: each is narrowed down to its record, or refused by name. Never a loop."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from polars.exceptions import ComputeError, PanicException

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.control.alerts import AlertKind, read_alerts
from pipeline.errors import ExitCode
from pipeline.ingest.failures.failed_batch import ATTEMPTS, BatchFailedError
from pipeline.ingest.failures.unnamed import IngestFailedError, MemoryExhaustedError
from pipeline.ingest.limits import Limits
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.lineage.emitter import Emitter
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from tests.support.attempts import play
from tests.support.fault import BAD, STAGES, Fault, has_bad
from tests.support.judge import judge
from tests.support.load import Message, TopicWriter
from tests.support.part import Part


@pytest.fixture
def writer(cell: Cell, strict_product: Product) -> TopicWriter:
    return TopicWriter(cell, strict_product)


def notes(cell: Cell, product: Product) -> list[str]:
    rows = load_table(cell, events_table(product.name)).scan().to_arrow()
    return sorted(rows.column("note").to_pylist())


def letters(cell: Cell, product: Product) -> list[dict[str, Any]]:
    rows = load_table(cell, dead_letters_table(product.name)).scan().to_arrow().to_pylist()
    return sorted(rows, key=lambda row: (row["_topic_partition"], row["_offset"]))


def sent(writer: TopicWriter, notes: Sequence[str]) -> list[Message]:
    """Send one event a note, to both partitions in turn; return them."""
    messages = [writer.event(number % 2, note=note) for number, note in enumerate(notes)]
    writer.send(messages)
    return messages


@pytest.mark.parametrize("stage", STAGES)
def test_the_record_that_an_error_comes_of_is_a_dead_letter_and_all_others_land(
    monkeypatch: pytest.MonkeyPatch,
    cell: Cell,
    strict_product: Product,
    writer: TopicWriter,
    stage: str,
) -> None:
    said = ["first", *(f"note {number}" for number in range(40)), BAD, "last"]
    messages = sent(writer, said)
    Fault(monkeypatch, stage, has_bad, ComputeError(f"cannot read '{BAD}'"))

    report = ingest(cell, strict_product, once=True)

    assert (report.rows, report.reasons) == (len(said) - 1, {"unwritable": 1})
    assert notes(cell, strict_product) == sorted(note for note in said if note != BAD)
    (letter,) = letters(cell, strict_product)
    bad = said.index(BAD)
    assert (letter["_topic_partition"], letter["_offset"]) == (bad % 2, bad // 2)
    assert (letter["reason"], letter["detail"]) == (
        "unwritable",
        f"ComputeError: cannot read '{BAD}'",
    )
    assert letter["record_value"] == messages[bad].value
    assert letter["record_key"] == messages[bad].key
    assert [(h["key"], h["value"]) for h in letter["headers"]] == list(messages[bad].headers)
    sent(writer, ["next"])
    assert ingest(cell, strict_product, once=True).rows == 1
    assert judge(cell, strict_product).exact
    assert verify_ledger(cell, strict_product).balanced


@pytest.mark.parametrize("stage", ["decode", "write"])
def test_many_such_records_in_many_batches_and_partitions_are_all_found(
    monkeypatch: pytest.MonkeyPatch,
    cell: Cell,
    strict_product: Product,
    writer: TopicWriter,
    stage: str,
) -> None:
    # Singly, side by side, a run of them, at both ends, in each partition.
    bad = {0, 1, 7, 20, 21, 22, 50, 99, *range(60, 80), 118, 119}
    said = [BAD if number in bad else f"note {number}" for number in range(120)]
    sent(writer, said)
    Fault(monkeypatch, stage, has_bad, ComputeError("no"))

    report = ingest(cell, strict_product, once=True, limits=Limits(max_records=50))

    assert report.reasons == {"unwritable": len(bad)}
    assert notes(cell, strict_product) == sorted(note for note in said if note != BAD)
    held = [
        (letter["_topic_partition"], letter["_offset"]) for letter in letters(cell, strict_product)
    ]
    assert held == sorted((number % 2, number // 2) for number in bad)
    assert judge(cell, strict_product).exact
    assert verify_ledger(cell, strict_product).balanced


def test_a_topic_of_nothing_else_ends_too(
    monkeypatch: pytest.MonkeyPatch, cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    count = 64
    sent(writer, [BAD] * count)
    fault = Fault(monkeypatch, "enrich", has_bad, ComputeError("no"))

    report = ingest(cell, strict_product, once=True)

    assert (report.rows, report.reasons) == (0, {"unwritable": count})
    # Once for the batch, and 2 n - 1 times to find each of them.
    assert fault.raised <= 1 + 2 * count - 1
    assert judge(cell, strict_product).exact


def test_narrowing_that_takes_long_ends_the_batch_where_it_has_come_to(
    monkeypatch: pytest.MonkeyPatch, cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    said = [BAD if number % 3 == 0 else f"note {number}" for number in range(24)]
    sent(writer, said)
    Fault(monkeypatch, "enrich", has_bad, ComputeError("no"))

    report = ingest(cell, strict_product, once=True, limits=Limits(max_s=0.0))

    assert report.commits > 2
    assert report.reasons == {"unwritable": 8}
    assert notes(cell, strict_product) == sorted(note for note in said if note != BAD)
    assert judge(cell, strict_product).exact
    assert verify_ledger(cell, strict_product).balanced


def test_a_panic_of_the_library_is_an_error_like_others(
    monkeypatch: pytest.MonkeyPatch, cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    sent(writer, ["a", BAD, "c"])
    Fault(monkeypatch, "judge", has_bad, PanicException("index out of bounds"))
    report = ingest(cell, strict_product, once=True)
    assert (report.rows, report.reasons) == (2, {"unwritable": 1})
    assert letters(cell, strict_product)[0]["detail"] == "PanicException: index out of bounds"


def test_a_text_that_no_table_holds_is_kept_in_the_detail_as_far_as_it_can_be_read(
    monkeypatch: pytest.MonkeyPatch, cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    sent(writer, ["a", BAD])
    Fault(
        monkeypatch, "judge", has_bad, ValueError("half \ud800 a character, and " + "long " * 200)
    )
    assert ingest(cell, strict_product, once=True).reasons == {"unwritable": 1}
    (letter,) = letters(cell, strict_product)
    assert letter["detail"].startswith("ValueError: half ? a character, and long")
    assert len(letter["detail"]) == 500


def pair(rows: pl.DataFrame) -> bool:
    """Whether rows hold two records that only together are too much."""
    return {"one", "other"} <= set(rows.get_column("note").to_list())


def refused(ingesting: Callable[[], object]) -> BatchFailedError:
    with pytest.raises(BatchFailedError) as caught:
        ingesting()
    return caught.value


def test_what_no_record_is_to_blame_for_is_refused_by_name_after_some_attempts(
    monkeypatch: pytest.MonkeyPatch, cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    sent(writer, ["a", "one", "other", "d"])
    fault = Fault(monkeypatch, "sort", pair, ComputeError("secret"))

    error = refused(lambda: ingest(cell, strict_product, once=True, run_id="refused"))

    assert error.exit_code == ExitCode.TERMINAL
    assert isinstance(error.__cause__, ComputeError)
    assert [(r.partition, r.start, r.end) for r in error.ranges] == [(0, 0, 2), (1, 0, 2)]
    assert f"ended in ComputeError {ATTEMPTS} times" in str(error)
    assert "0..2 of partition 0, 0..2 of partition 1" in str(error)
    assert (
        "headwater ingest quarantine strict_events --cell us --partition 0 --offsets 0..2"
        in str(error)
    )
    assert "secret" not in str(error)
    # The batch each time, and each time the part of it that was tried out.
    assert fault.raised == 2 * ATTEMPTS
    assert letters(cell, strict_product) == []
    (alert,) = read_alerts(cell, "strict_events")
    assert (alert.kind, alert.table) == (AlertKind.INGEST_REFUSED, "strict_events.events")
    assert alert.detail == str(error)
    lines = Emitter(cell, "refused").path.read_text().splitlines()
    assert [json.loads(line)["eventType"] for line in lines] == ["START", "FAIL"]
    # Once an hour is enough to be told.
    refused(lambda: ingest(cell, strict_product, once=True))
    assert len({alert.hour for alert in read_alerts(cell, "strict_events")}) == len(
        read_alerts(cell, "strict_events")
    )


@pytest.mark.parametrize(
    ("error", "named", "state"),
    [
        (MemoryError(), MemoryExhaustedError, "FAIL"),
        (KeyboardInterrupt(), KeyboardInterrupt, "ABORT"),
        (SystemExit(7), SystemExit, "ABORT"),
    ],
)
def test_no_record_is_blamed_for_what_none_can_cause(
    monkeypatch: pytest.MonkeyPatch,
    cell: Cell,
    strict_product: Product,
    writer: TopicWriter,
    error: BaseException,
    named: type[BaseException],
    state: str,
) -> None:
    sent(writer, ["a", BAD, "c"])
    with monkeypatch.context() as patch:
        fault = Fault(patch, "judge", has_bad, error)
        with pytest.raises(named):
            ingest(cell, strict_product, once=True, run_id="ended")
        assert fault.raised == 1
    lines = Emitter(cell, "ended").path.read_text().splitlines()
    assert [json.loads(line)["eventType"] for line in lines] == ["START", state]
    assert ingest(cell, strict_product, once=True).rows == 3


def test_an_error_that_no_batch_is_behind_has_a_name_outside(
    cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    sent(writer, ["a"])

    def told(_: object) -> None:
        raise ZeroDivisionError("secret")

    with pytest.raises(IngestFailedError, match="ZeroDivisionError") as caught:
        ingest(cell, strict_product, once=True, on_commit=told)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "secret" not in str(caught.value)


def test_a_repair_finds_the_same_dead_letters(
    monkeypatch: pytest.MonkeyPatch, cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    messages = [
        writer.event(number % 2, note=note) for number, note in enumerate(["a", BAD, "c", BAD])
    ]
    # One that is there twice is neither a row nor a dead letter, and stays so.
    writer.send([*messages, messages[0], replace(messages[2], value=b"no avro")])
    for stage in ("write", "gate"):
        Fault(monkeypatch, stage, has_bad, ComputeError("no"))
    ingest(cell, strict_product, once=True)
    before = letters(cell, strict_product)
    assert [letter["reason"] for letter in before] == ["bad_framing", "unwritable", "unwritable"]
    table = load_table(cell, dead_letters_table(strict_product.name))
    # Dropped with its files: where these stay, the table counts as lost, and nothing goes on.
    table.catalog.purge_table(dead_letters_table(strict_product.name))

    ingest(cell, strict_product, once=True)

    told = ("_topic_partition", "_offset", "reason", "detail", "record_value", "record_key")
    after = letters(cell, strict_product)
    assert [[one[name] for name in told] for one in after] == [
        [one[name] for name in told] for one in before
    ]
    assert judge(cell, strict_product).exact


@pytest.mark.parametrize(
    ("stage", "failpoint"),
    [
        ("enrich", "ingest.planned:2"),
        ("write", "ingest.before_dead_letter_commit:1"),
        ("enrich", "ingest.after_dead_letter_commit:1"),
        # The thread that writes tells after the dead letters have been committed: a redo, claimed.
        ("write", "ingest.claimed:1"),
        ("write", "ingest.after_dead_letter_commit:2"),
        ("write", "ingest.before_event_commit:1"),
        ("enrich", "ingest.after_event_commit:1"),
    ],
)
def test_a_kill_beside_such_records_loses_and_doubles_none(
    cell: Cell, strict_product: Product, writer: TopicWriter, stage: str, failpoint: str
) -> None:
    said = [BAD if number % 5 == 0 else f"note {number}" for number in range(20)]
    sent(writer, said)
    # One that is a dead letter in any case, so that the first side commit has something to hold.
    writer.send([writer.poison("text")])
    killed = play(cell, strict_product, Part(failpoint=failpoint, max_records=1000, fault=stage))
    assert killed.wait() == -signal.SIGKILL

    assert play(cell, strict_product, Part(max_records=1000, fault=stage)).wait() == 0

    assert notes(cell, strict_product) == sorted(note for note in said if note != BAD)
    reasons = Counter(letter["reason"] for letter in letters(cell, strict_product))
    assert reasons == {"unwritable": said.count(BAD), "bad_framing": 1}
    assert judge(cell, strict_product).exact
    assert verify_ledger(cell, strict_product).balanced


def test_what_a_redo_reports_adds_up(
    monkeypatch: pytest.MonkeyPatch, cell: Cell, strict_product: Product, writer: TopicWriter
) -> None:
    sent(writer, ["a", BAD, "c", BAD])
    writer.send([writer.poison("text"), writer.poison("stale")])
    died = Part(failpoint="ingest.after_dead_letter_commit:1", fault="enrich")
    assert play(cell, strict_product, died).wait() == -signal.SIGKILL

    # The dead letters table decides, though nothing is wrong with the records today.
    report = ingest(cell, strict_product, once=True)

    assert report.reasons == {"unwritable": 2, "bad_framing": 1, "stale": 1}
    assert report.dead_letters == 4
    assert report.rows + report.duplicates + report.dead_letters + report.gaps == report.offsets
    assert report.offsets == 6
    assert notes(cell, strict_product) == ["a", "c"]
    assert judge(cell, strict_product).exact
