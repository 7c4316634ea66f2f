"""A contract that changes while events flow: nothing is lost or doubled, and every value is what was sent.

A field is added, one renamed, one widened, one dropped, and the topic gets two more partitions, while two
producers go on: one of the newest version, one that is never deployed anew. Nobody restarts the ingest.
"""

from __future__ import annotations

import copy
import signal
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from kafka.admin import NewPartitions

from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.kafka.connect import connect_admin
from pipeline.ledger.verify import verify_ledger
from pipeline.produce.event_writer import EventWriter
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.tables.catalog import TableMissingError, load_table
from tests.evolution.engine import write_contract
from tests.evolution.tally import TALLY
from tests.support.commands import Command, Running

BATCH = 100
LARGE = 2**40
AT = {"type": "long", "logicalType": "timestamp-micros"}
FIRST: dict[str, Any] = {
    "type": "record",
    "name": "Payload",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "at", "type": AT},
        {"name": "number", "type": "long"},
        {"name": "amount", "type": "int"},
        {"name": "label", "type": "string"},
        {"name": "note", "type": "string"},
        {
            "name": "device",
            "type": {
                "type": "record",
                "name": "Device",
                "fields": [{"name": "os", "type": "string"}],
            },
        },
    ],
}


def versions() -> list[dict[str, Any]]:
    """Return the five versions: as it began, a field added (also inside), renamed, widened, dropped."""
    added = copy.deepcopy(FIRST)
    added["fields"].append({"name": "extra", "type": ["null", "string"], "default": None})
    device = added["fields"][6]["type"]["fields"]
    device.append({"name": "model", "type": ["null", "string"], "default": None})
    renamed = copy.deepcopy(added)
    renamed["fields"][4] = {"name": "title", "type": "string", "aliases": ["label"]}
    widened = copy.deepcopy(renamed)
    widened["fields"][3]["type"] = "long"
    dropped = copy.deepcopy(widened)
    del dropped["fields"][5]
    return [FIRST, added, renamed, widened, dropped]


def payload(number: int, version: int) -> dict[str, Any]:
    """Return what event `number` of `version` says, of which every value follows from the number."""
    device = {"os": f"os{number % 7}"} | ({"model": f"m{number % 11}"} if version > 1 else {})
    return {
        "id": f"k{number % 100}",
        "at": 0,
        "number": number,
        "amount": number + (LARGE if version > 3 else 0),
        "label" if version < 3 else "title": f"t{number}",
        **({"note": f"n{number}"} if version < 5 else {}),
        "device": device,
        **({"extra": f"x{number}"} if version > 1 else {}),
    }


@dataclass
class Producer:
    """Sends events of one version, some hundred at a time, numbered on from its first."""

    cell: Cell
    product: Product
    next: int
    step: int
    sent: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open()

    def deploy(self, product: Product) -> None:
        self.close()
        self.product = product
        self._open()

    def send(self, count: int) -> None:
        version = len(self.product.payload_schemas)
        for _ in range(count):
            now = time.time_ns() // 1000
            body = payload(self.next, version) | {"at": now}
            self._writer.send(body, key=str(body["id"]), event_time=now, uuid="")
            self.sent.append((self.next, version))
            self.next += self.step

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self.flush()
        self._writer.close()

    def _open(self) -> None:
        self._writer = EventWriter(self.cell, self.product, open_registry(self.cell))


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> float:
    return float(request.config.getoption("--load-seconds"))


@pytest.fixture
def rate(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--load-rate"))


@pytest.fixture
def running(cell: Cell, home: Path, tmp_path: Path) -> Iterator[Running]:
    folder = write_contract(tmp_path / "contracts" / "load", versions()[:1], topic=TOPIC)
    ensure_topic(cell, load_product(folder))
    process = Command(home, folder.parent).start("ingest", "run", "load", "--cell", "us", "--json")
    yield process
    if process.process.poll() is None:
        process.process.kill()


TOPIC = f"load-{uuid.uuid4().hex[:8]}"


def test_contracts_change_while_events_flow(
    cell: Cell, home: Path, tmp_path: Path, running: Running, seconds: float, rate: int
) -> None:
    folder = tmp_path / "contracts" / "load"
    chain = versions()
    dropped_at = datetime.max.replace(tzinfo=UTC)
    old = Producer(cell, load_product(folder), 0, 2)
    new = Producer(cell, load_product(folder), 1, 2)
    old.send(BATCH)
    old.flush()
    running.wait_for(lambda: _count(cell) == BATCH, within_s=90)
    stages = 6
    for stage in range(stages):
        if stage == 5:
            admin = connect_admin(cell)
            admin.create_partitions({TOPIC: NewPartitions(total_count=3)})
            admin.close()
            new.deploy(load_product(folder))
        elif stage:
            if stage == 4:
                dropped_at = datetime.now(UTC)
            write_contract(folder, chain[: stage + 1], topic=TOPIC)
            new.deploy(load_product(folder))
        _flow((old, new), seconds / stages, rate)
    for producer in (old, new):
        producer.close()
    sent = dict(old.sent + new.sent)
    rows = _all_rows(cell, len(sent))
    ended = running.end(signal.SIGTERM, within_s=60)
    assert ended.code == 143, ended.err
    assert rows.height == len(sent)
    assert rows["number"].sort().to_list() == sorted(sent)
    assert set(rows["_topic_partition"]) == {0, 1, 2}
    wrong = rows.filter(~_is_right(dropped_at))
    assert wrong.is_empty(), wrong.head(5).rows(named=True)
    assert verify_ledger(cell, load_product(folder)).balanced
    TALLY["events that flowed while contracts changed"] += len(sent)


def _flow(producers: tuple[Producer, ...], seconds: float, rate: int) -> None:
    began = time.monotonic()
    sent = 0
    while (passed := time.monotonic() - began) < seconds:
        if sent > passed * rate:
            time.sleep(0.002)
            continue
        for producer in producers:
            producer.send(BATCH)
            sent += BATCH


def _all_rows(cell: Cell, count: int) -> pl.DataFrame:
    """Return the table's rows once there are `count`, or as many as came within two minutes."""
    give_up = time.monotonic() + 120
    while _count(cell) < count and time.monotonic() < give_up:
        time.sleep(0.5)
    frame = pl.from_arrow(load_table(cell, "load.events").scan().to_arrow())
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a table becomes a frame")
    return frame


def _count(cell: Cell) -> int:
    """Return how many rows the table has, 0 where there is none."""
    try:
        snapshot = load_table(cell, "load.events").current_snapshot()
    except TableMissingError:
        return 0
    told = snapshot.summary.additional_properties if snapshot and snapshot.summary else {}
    return int(told.get("total-records", 0))


def _is_right(dropped_at: datetime) -> pl.Expr:
    """Return whether a row's values are those that its number and its version make."""
    number, version = pl.col("number"), pl.col("_schema_version")

    def text(letter: str, of: pl.Expr = number) -> pl.Expr:
        return pl.concat_str(pl.lit(letter), of)

    later = version > 1
    none = pl.lit(None, pl.String)
    device = pl.col("device").struct
    note = pl.col("note")
    return (
        (pl.col("amount") == number + pl.when(version > 3).then(LARGE).otherwise(0))
        & (pl.col("title") == text("t"))
        & pl.col("extra").eq_missing(pl.when(later).then(text("x")).otherwise(none))
        & (device.field("os") == text("os", number % 7))
        & device.field("model").eq_missing(
            pl.when(later).then(text("m", number % 11)).otherwise(none)
        )
        # By the last version nobody reads the field that it drops, not even of older records.
        & pl.when(note.is_null())
        .then((version == 5) | (pl.col("_ingested_at") >= dropped_at))
        .otherwise((note == text("n")) & (version < 5))
    )
