"""Dead letters replayed: as they are, mended, twice, by two people, against the event's own producer."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import fastavro
import pytest
from confluent_kafka import Producer

from pipeline.cells import Cell
from pipeline.contract.load import load_product
from pipeline.contract.model import Product
from pipeline.dead_letters.balance import ReplayBalance, balance_replays
from pipeline.dead_letters.discard import discard
from pipeline.dead_letters.fate import Fate
from pipeline.dead_letters.fixes.function import CallableFix
from pipeline.dead_letters.fixes.mapping import MappingFix
from pipeline.dead_letters.plan import plan_replay
from pipeline.dead_letters.read import load_letter_tables, read_letters
from pipeline.dead_letters.replay import replay
from pipeline.dead_letters.selection import Selection
from pipeline.ingest.run import ingest
from pipeline.ledger.verify import verify_ledger
from pipeline.produce.event_writer import EventWriter
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.schemas.registration import register_product
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import (
    dead_letter_actions_table,
    dead_letter_states_table,
    events_table,
)
from pipeline.tables.offsets import committed_offsets
from tests.support.products import own_product

HOUR = 3_600_000_000
NOW = int(time.time() * 1_000_000) // HOUR * HOUR
ALL = Selection()
VOLTS = {
    "type": "record",
    "name": "Reading",
    "namespace": "strict",
    "fields": [
        {"name": "sensor", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "volts", "type": "double", "default": 0.0},
    ],
}
"""What a bad deploy writes: the value by another name and in another unit. The registry takes it."""

Send = Callable[..., None]


@pytest.fixture
def send(cell: Cell, strict_product: Product) -> Send:
    """Sends values of one key, each as it is."""
    ensure_topic(cell, strict_product)

    def send_all(*values: bytes | None, key: str | None = "s1", at: int = NOW) -> None:
        with EventWriter(cell, strict_product, open_registry(cell)) as writer:
            for value in values:
                writer.send_raw(None if key is None else key.encode(), value, at)

    return send_all


@pytest.fixture
def reading(cell: Cell, strict_product: Product) -> Iterator[Callable[..., bytes]]:
    """Makes values: of the contract's schema, or of `version` and bytes that are given."""
    with EventWriter(cell, strict_product, open_registry(cell)) as writer:

        def value(
            number: int,
            *,
            at: int = NOW,
            version: int = 2,
            payload: bytes | None = None,
            **fields: Any,
        ) -> bytes:
            uuid = f"reading-{number}"
            if payload is not None:
                return writer.encode_envelope(
                    payload, key="s1", event_time=at, uuid=uuid, version=version
                )
            given = {"sensor": "s1", "at": at, "value": number, "note": None, **fields}
            return writer.encode(given, key="s1", event_time=at, uuid=uuid)

        yield value


def rows(cell: Cell, product: Product) -> dict[str, dict[str, Any]]:
    found = load_table(cell, events_table(product.name)).scan().to_arrow().to_pylist()
    assert len({row["_uuid"] for row in found}) == len(found)
    return {row["_uuid"]: row for row in found}


def fates(cell: Cell, product: Product, selection: Selection = ALL) -> list[str]:
    letters = read_letters(load_letter_tables(cell, product), selection)
    return letters.get_column("fate").to_list()


def test_what_came_too_late_passes_as_it_is_and_keeps_how_late_it_was(
    cell: Cell, strict_product: Product, send: Send, reading: Callable[..., bytes]
) -> None:
    send(reading(1), reading(2, at=NOW - 20_000_000))
    assert ingest(cell, strict_product, once=True).dead_letters == 1
    plan = plan_replay(cell, strict_product, ALL)
    assert (plan.selected, plan.verdicts, fates(cell, strict_product)) == (
        1,
        {"passes": 1},
        ["open"],
    )
    done = replay(cell, strict_product, ALL, by="ann", reason="the network was slow")
    assert (done.sent, fates(cell, strict_product)) == (1, ["sent"])
    assert ingest(cell, strict_product, once=True).rows == 1
    row = rows(cell, strict_product)["reading-2"]
    assert row["_late"] is True
    assert (row["_replay_id"], row["_origin_partition"]) == (
        done.action_id,
        row["_topic_partition"],
    )
    assert row["_origin_offset"] == 1
    assert fates(cell, strict_product) == ["landed"]
    again = replay(cell, strict_product, ALL, by="bob", reason="did not see ann's")
    assert (again.action_id, again.sent, again.by_fate) == (None, 0, {"landed": 1})
    assert verify_ledger(cell, strict_product).balanced


def test_a_bad_deploy_is_mended_by_expressions(
    cell: Cell, strict_product: Product, send: Send, reading: Callable[..., bytes]
) -> None:
    register_product(open_registry(cell), strict_product)
    open_registry(cell).register(strict_product.payload_subject, VOLTS)
    broken = []
    for number in range(5):
        out = io.BytesIO()
        given = {"sensor": "s1", "at": NOW, "volts": number / 4}
        fastavro.schemaless_writer(out, VOLTS, given)
        broken.append(reading(number, payload=out.getvalue(), version=3))
    corrupt = reading(7)[:-1] + b"\xff\xff"
    send(*broken, corrupt)
    assert ingest(cell, strict_product, once=True).dead_letters == 6
    as_they_are = plan_replay(cell, strict_product, ALL)
    assert as_they_are.verdicts == {"fails": 6}
    fix = MappingFix.parse(["value=cast(round(volts * 1000) as bigint)", "note='from volts'"])
    plan = plan_replay(cell, strict_product, ALL, fix)
    assert plan.verdicts == {"passes": 5, "not_fixed": 1}
    done = replay(cell, strict_product, ALL, fix=fix, by="ann", reason="unit of deploy 7")
    assert ingest(cell, strict_product, once=True).rows == done.sent == 5
    found = rows(cell, strict_product)
    assert [found[f"reading-{n}"]["value"] for n in range(5)] == [250 * n for n in range(5)]
    assert {row["note"] for row in found.values()} == {"from volts"}
    assert {int(row["at"].timestamp() * 1_000_000) for row in found.values()} == {NOW}
    assert sorted(fates(cell, strict_product)) == ["landed"] * 5 + ["open"]
    discarded = discard(cell, strict_product, ALL, by="ann", reason="bytes are gone")
    assert (discarded.discarded, discarded.by_fate) == (1, {"landed": 5})
    assert fates(cell, strict_product, Selection(fates=(Fate.DISCARDED,))) == ["discarded"]
    audit = load_table(cell, dead_letter_actions_table(strict_product.name)).scan().to_arrow()
    steps = sorted((row["at"], row["action"], row["step"], row["by"]) for row in audit.to_pylist())
    assert [step[1:] for step in steps] == [
        ("replay", "begun", "ann"),
        ("replay", "ended", "ann"),
        ("discard", "begun", "ann"),
        ("discard", "ended", "ann"),
    ]
    assert verify_ledger(cell, strict_product).balanced


def test_a_function_may_mend_what_no_schema_reads_but_not_who_it_is(
    cell: Cell, strict_product: Product, send: Send, reading: Callable[..., bytes]
) -> None:
    send(*(reading(number, payload=b"\xff" * 3) for number in range(3)))
    ingest(cell, strict_product, once=True)
    folder = Path(strict_product.folder) / "fixes"
    folder.mkdir()
    (folder / "recount.py").write_text(
        "def fix(letter):\n"
        "    number = int(letter.uuid.rpartition('-')[2])\n"
        "    if number == 1:\n"
        "        return None\n"
        f"    at = {NOW} + (number - 2) * {HOUR} // 2\n"
        "    return {'sensor': 's1', 'at': at, 'value': number}\n"
    )
    fix = CallableFix.load(strict_product, "recount")
    plan = plan_replay(cell, strict_product, ALL, fix)
    assert plan.verdicts == {"passes": 2, "not_fixed": 1}
    replay(cell, strict_product, ALL, fix=fix, by="ann", reason="counted by hand")
    assert ingest(cell, strict_product, once=True).rows == 2
    assert sorted(rows(cell, strict_product)) == ["reading-0", "reading-2"]


def test_two_people_at_once_and_the_producer_again_make_one_row_each(
    cell: Cell, strict_product: Product, send: Send, reading: Callable[..., bytes]
) -> None:
    late = [reading(number, at=NOW - 20_000_000) for number in range(40)]
    send(*late)
    ingest(cell, strict_product, once=True)
    with ThreadPoolExecutor() as people:
        done = list(
            people.map(
                lambda by: replay(cell, strict_product, ALL, by=by, reason="late"), ["ann", "bob"]
            )
        )
    # The producer sends them again, in time as its clock has it.
    send(*late, at=NOW - 15_000_000)
    ingest(cell, strict_product, once=True)
    assert sum(one.sent for one in done) == 40
    assert len(rows(cell, strict_product)) == 40
    assert set(fates(cell, strict_product)) == {"landed"}
    assert verify_ledger(cell, strict_product).balanced


def test_what_comes_back_as_a_dead_letter_is_open_again_and_its_origin_stays(
    cell: Cell, strict_product: Product, send: Send, reading: Callable[..., bytes]
) -> None:
    send(reading(1, at=NOW - 20_000_000))
    ingest(cell, strict_product, once=True)
    replay(cell, strict_product, ALL, by="ann", reason="late")
    strict = strict_product.model_copy(
        update={"gates": strict_product.gates.model_copy(update={"payload_bytes": 1})}
    )
    ingest(cell, strict, once=True)
    assert fates(cell, strict_product) == ["returned", "open"]
    replay(cell, strict_product, ALL, by="ann", reason="the gate is as it was")
    ingest(cell, strict_product, once=True)
    assert fates(cell, strict_product) == ["returned", "landed"]
    row = rows(cell, strict_product)["reading-1"]
    assert (row["_origin_offset"], row["_offset"]) == (0, 2)
    assert verify_ledger(cell, strict_product).balanced


def test_uuids_of_coordinates_are_those_of_the_origin_however_often_it_is_sent(
    cell: Cell, tmp_path: Path
) -> None:
    orders = own_product("json_orders", tmp_path / "json")
    path = orders.folder / "contract.yaml"
    path.write_text(path.read_text().replace("      uuid: order_id\n", ""))
    orders = load_product(orders.folder)
    ensure_topic(cell, orders)
    order = {
        "customer_id": "c",
        "order_id": "o",
        "country": "DE",
        "items": [],
        "placed_at": datetime.fromtimestamp(NOW / 1_000_000, UTC).isoformat()[:19] + "Z",
    }
    values = [json.dumps(order | {"amount": amount}).encode() for amount in (1.25, "ten")]
    with EventWriter(cell, orders, open_registry(cell)) as writer:
        for value in values:
            writer.send_raw(b"c", value, NOW)
    assert ingest(cell, orders, once=True).dead_letters == 1
    (letter,) = read_letters(load_letter_tables(cell, orders), ALL).to_dicts()
    fix = MappingFix.parse(["amount=10.5"])
    assert replay(cell, orders, ALL, fix=fix, by="ann", reason="words").sent == 1
    send_claims_again(cell, orders)
    report = ingest(cell, orders, once=True)
    assert (report.rows, report.duplicates, report.dead_letters) == (1, 1, 0)
    found = rows(cell, orders)
    committed = committed_offsets(load_table(cell, events_table(orders.name)))
    assert committed is not None
    topic = f"{committed.cluster_id}/{orders.topic.name}"
    place = f"{letter['_topic_partition']}/{letter['_offset']}"
    assert found[str(uuid5(NAMESPACE_URL, f"{topic}/{place}"))]["amount"] == Decimal("10.50")
    assert fates(cell, orders) == ["landed"]
    verification = verify_ledger(cell, orders)
    assert verification.balanced, verification.problems
    assert balance_replays(cell, orders) == ReplayBalance({"landed": 1}, 1, ())


def test_a_row_that_no_replay_has_claimed_does_not_balance(
    cell: Cell, strict_product: Product, send: Send, reading: Callable[..., bytes]
) -> None:
    """Who may write to the topic may say that a record is a replay: it is a row, and the recount tells."""
    send(reading(1), reading(2, at=NOW - 20_000_000))
    ingest(cell, strict_product, once=True)
    committed = committed_offsets(load_table(cell, events_table(strict_product.name)))
    assert committed is not None
    producer = Producer({"bootstrap.servers": cell.bootstrap_servers})
    headers: list[tuple[str, str | bytes | None]] = [
        ("headwater-origin", f"{committed.topic_id}/0/77/1".encode()),
        ("headwater-replay-id", b"mine"),
    ]
    value = reading(3, at=NOW - 20_000_000)
    producer.produce(strict_product.topic.name, value, b"s1", headers=headers)
    assert producer.flush(30) == 0
    assert ingest(cell, strict_product, once=True).rows == 1
    found = balance_replays(cell, strict_product)
    assert (found.by_fate, found.rows) == ({"open": 1}, 1)
    assert len(found.problems) == 1


def send_claims_again(cell: Cell, product: Product) -> None:
    """Send what replays have claimed once more, as one does that was killed before it noted that it had."""
    table = load_table(cell, dead_letter_states_table(product.name))
    producer = Producer({"bootstrap.servers": cell.bootstrap_servers})
    for row in table.scan("state = 'claimed'").to_arrow().to_pylist():
        producer.produce(
            product.topic.name,
            row["record_value"],
            row["record_key"],
            row["_topic_partition"],
            headers=[(one["key"], one["value"]) for one in row["headers"]],
        )
    assert producer.flush(30) == 0
