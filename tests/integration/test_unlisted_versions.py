"""Payload versions that the registry knows and the contract does not: kept whole, held back or refused."""

from __future__ import annotations

import io
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka import Producer

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.run import ingest
from pipeline.ingest.transform.held_back import HeldBackPartition
from pipeline.ledger.verify import verify_ledger
from pipeline.produce.topic import ensure_topic
from pipeline.schemas.open import open_registry
from pipeline.schemas.wire import encode
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import RECORD_VALUE, dead_letters_table, events_table
from tests.support.versions import (
    BEGIN_US,
    FIELDS,
    Sent,
    VersionsWriter,
    payload_schema,
    versions_product,
)

MIXED = ([1, 2, 3, 3, 1], [1, 1, 2, 3])
"""Versions of what is sent to partitions 0 and 1."""


class Place:
    """One topic, and the contract of it that is on disk."""

    def __init__(self, cell: Cell, folder: Path, *, envelope: bool, unlisted: str) -> None:
        self.cell, self._folder = cell, folder
        self._how: dict[str, Any] = {"envelope": envelope, "unlisted": unlisted}
        self._topic = f"grows-{uuid.uuid4().hex[:8]}"
        whole = versions_product(folder, self._topic, 3, **self._how)
        self.writer = VersionsWriter(cell, whole)

    def contract(self, versions: int, **changed: Any) -> Product:
        """Deploy the contract that lists so many versions."""
        return versions_product(self._folder, self._topic, versions, **{**self._how, **changed})

    def send(self, mixed: Sequence[Sequence[int]] = MIXED) -> list[Sent]:
        return [
            one
            for partition, versions in enumerate(mixed)
            for one in self.writer.send(versions, partition=partition)
        ]

    def rows(self) -> dict[str, dict[str, Any]]:
        rows = load_table(self.cell, events_table("grows")).scan().to_arrow().to_pylist()
        assert len({row["_uuid"] for row in rows}) == len(rows)
        return {row["id"]: row for row in rows}


def read_by(one: Sent, versions: int) -> dict[str, Any]:
    """Return the values of an event by the contract that lists so many versions, by hand."""
    defaults: dict[str, Any] = {"note": None, "amount": None, "tags": []}
    fields = [field["name"] for field in FIELDS[versions - 1] if field["name"] != "at"]
    values = {name: one.values.get(name, defaults.get(name)) for name in fields}
    device = dict(one.values["dev"])
    if versions >= 3:
        device.setdefault("model", None)
    else:
        device.pop("model", None)
    return {**values, "dev": device}


def values_of(row: dict[str, Any], versions: int) -> dict[str, Any]:
    names = [field["name"] for field in FIELDS[versions - 1] if field["name"] != "at"]
    return {name: row[name] for name in names}


@pytest.fixture(params=[True, False], ids=["envelope", "bare"])
def envelope(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_kept_whole_they_are_rows_with_their_values_beside_them(
    cell: Cell, tmp_path: Path, envelope: bool
) -> None:
    place = Place(cell, tmp_path, envelope=envelope, unlisted="keep")
    product = place.contract(1)
    sent = place.send()
    report = ingest(cell, product, once=True)
    assert (report.rows, report.dead_letters, report.held_back) == (len(sent), 0, {})
    rows = place.rows()
    for one in sent:
        row = rows[one.values["id"]]
        assert values_of(row, 1) == read_by(one, 1)
        assert row["_schema_version"] == one.version
        assert (row[RECORD_VALUE] is None) == (one.version == 1)
        if one.version == 3:
            assert f"m{one.number}".encode() in row[RECORD_VALUE]
    assert verify_ledger(cell, product).balanced


def test_refused_they_are_dead_letters_that_name_their_version(
    cell: Cell, tmp_path: Path, envelope: bool
) -> None:
    place = Place(cell, tmp_path, envelope=envelope, unlisted="deadLetter")
    product = place.contract(2)
    sent = place.send()
    report = ingest(cell, product, once=True)
    third = [one for one in sent if one.version == 3]
    assert report.reasons == {"unlisted_schema": len(third)}
    letters = load_table(cell, dead_letters_table("grows")).scan().to_arrow().to_pylist()
    assert {bytes(letter["record_key"]).decode() for letter in letters} == {
        one.values["id"] for one in third
    }
    for letter in letters:
        assert f"version 3 of {product.payload_subject}, which the contract" in letter["detail"]
        assert "schema id " in letter["detail"]
        assert letter["record_value"] is not None
    rows = place.rows()
    assert {name: values_of(row, 2) for name, row in rows.items()} == {
        one.values["id"]: read_by(one, 2) for one in sent if one.version != 3
    }
    assert verify_ledger(cell, product).balanced


def test_held_back_they_wait_and_other_partitions_go_on(
    cell: Cell, tmp_path: Path, envelope: bool
) -> None:
    place = Place(cell, tmp_path, envelope=envelope, unlisted="wait")
    product = place.contract(1)
    sent = place.send([[1, 1, 3, 1, 2], [1, 1]])
    told: list[Sequence[HeldBackPartition]] = []
    report = ingest(cell, product, once=True, on_held_back=told.append)
    assert (report.rows, report.held_back) == (4, {0: 2})
    assert [[(one.partition, one.offset) for one in waiting] for waiting in told] == [[(0, 2)]]
    assert f"version 3 of {product.payload_subject}" in str(told[0][0])
    sent += place.writer.send([1], partition=1)
    assert ingest(cell, product, once=True).rows == 1, "the other partition goes on"
    # Version 2 alone is still behind version 3.
    assert ingest(cell, place.contract(2), once=True).held_back == {0: 2}
    whole = place.contract(3)
    report = ingest(cell, whole, once=True)
    assert (report.rows, report.held_back) == (3, {})
    rows = place.rows()
    for one in sent:
        row = rows[one.values["id"]]
        # A row that came before the table had the column has null there, whatever the default.
        if one.number in (2, 3, 4):
            assert values_of(row, 3) == read_by(one, 3)
    assert len(rows) == len(sent)
    assert verify_ledger(cell, whole).balanced


def test_a_running_ingest_goes_on_when_the_contract_lists_the_version(
    cell: Cell, tmp_path: Path
) -> None:
    place = Place(cell, tmp_path, envelope=True, unlisted="wait")
    product = place.contract(2)
    sent = place.send([[1, 3, 1], [2]])
    stop, waits, done = threading.Event(), threading.Event(), threading.Event()
    told: list[Sequence[HeldBackPartition]] = []

    def note(waiting: Sequence[HeldBackPartition]) -> None:
        told.append(waiting)
        (waits if waiting else done).set()

    def work() -> None:
        ingest(cell, product, stop=stop, on_held_back=note)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert waits.wait(30)
        place.contract(3)
        assert done.wait(30)
    finally:
        stop.wait(3)
        stop.set()
        worker.join(30)
    assert len(told) == 2, "told when it changes, and not again"
    rows = place.rows()
    assert values_of(rows["k1"], 3) == read_by(sent[1], 3)
    assert len(rows) == len(sent)


def test_a_contract_that_was_rolled_back_goes_on(cell: Cell, tmp_path: Path) -> None:
    """The table has the newer columns; rows of the newer version are kept whole."""
    place = Place(cell, tmp_path, envelope=True, unlisted="keep")
    first = place.send([[1, 2, 3], [3]])
    ingest(cell, place.contract(3), once=True)
    rolled_back = place.contract(2)
    VersionsWriter(cell, rolled_back)  # registers what an older producer does
    second = place.send([[3, 2], [1]])
    report = ingest(cell, rolled_back, once=True)
    assert (report.rows, report.dead_letters) == (3, 0)
    rows = place.rows()
    for one in first:
        assert values_of(rows[one.values["id"]], 3) == read_by(one, 3)
    for one in second:
        row = rows[one.values["id"]]
        expected = read_by(one, 2)
        assert values_of(row, 2) == {**expected, "dev": {**expected["dev"], "model": None}}
        assert (row[RECORD_VALUE] is not None) == (one.version == 3)
    assert verify_ledger(cell, rolled_back).balanced


FIRST = {**payload_schema(1), "fields": [*FIELDS[0], {"name": "n", "type": "int", "default": 0}]}
"""A version that the contract lists alone; what the other fixtures send is not of it."""


def lists_first_alone(folder: Path, unlisted: str) -> Product:
    """Return the contract, without an envelope, that lists FIRST alone."""
    topic = f"grows-{uuid.uuid4().hex[:8]}"
    product = versions_product(folder, topic, 1, envelope=False, unlisted=unlisted)
    return product.model_copy(update={"payload_schemas": (FIRST,)})


def send_first_and(cell: Cell, product: Product, field: dict[str, Any], subject: str) -> None:
    """Send an event of FIRST, and one of a schema with `field` in place of its last, of `subject`."""
    second = {**FIRST, "fields": [*FIELDS[0], field]}
    ensure_topic(cell, product)
    registry = open_registry(cell)
    producer = Producer({"bootstrap.servers": cell.bootstrap_servers})
    for number, (schema, where) in enumerate(((FIRST, product.value_subject), (second, subject))):
        ref = registry.register(where, schema)
        out = io.BytesIO()
        last = schema["fields"][-1]["name"]
        event = {"id": f"k{number}", "at": BEGIN_US, "dev": {"name": "d"}, last: 7}
        fastavro.schemaless_writer(out, fastavro.parse_schema(schema), event)
        value = encode(ref.id, out.getvalue())
        producer.produce(product.topic.name, value, partition=0, timestamp=BEGIN_US // 1_000)
    producer.flush(30)


@pytest.mark.parametrize("unlisted", ["keep", "wait", "deadLetter"])
def test_what_the_contracts_schema_cannot_read_is_never_a_row(
    cell: Cell, tmp_path: Path, unlisted: str
) -> None:
    """A long is not read as int, whatever its value: newer versions read older ones, not the reverse."""
    product = lists_first_alone(tmp_path, unlisted)
    send_first_and(cell, product, {"name": "n", "type": "long"}, product.value_subject)
    report = ingest(cell, product, once=True)
    if unlisted == "wait":
        assert (report.rows, report.held_back) == (1, {0: 1})
        return
    assert (report.rows, report.reasons) == (1, {"unlisted_schema": 1})
    (letter,) = load_table(cell, dead_letters_table("grows")).scan().to_arrow().to_pylist()
    assert "version 2 of" in letter["detail"]


@pytest.mark.parametrize("more", [False, True])
def test_schemas_of_other_subjects_are_judged_by_their_fields(
    cell: Cell, tmp_path: Path, *, more: bool
) -> None:
    product = lists_first_alone(tmp_path, "keep")
    # Another default makes another schema, with an id of its own.
    field = {"name": "extra" if more else "n", "type": "int", "default": 5}
    send_first_and(cell, product, field, "somebody-else")
    report = ingest(cell, product, once=True)
    assert (report.rows, report.dead_letters) == (2, 0)
    rows = load_table(cell, events_table("grows")).scan().to_arrow().to_pylist()
    row = next(row for row in rows if row["_offset"] == 1)
    assert (row["_schema_version"], row["n"]) == (0, 0 if more else 7)
    assert (row[RECORD_VALUE] is not None) == more


@pytest.mark.parametrize("unlisted", ["keep", "wait", "deadLetter"])
def test_records_that_are_decoded_one_by_one_are_treated_alike(
    cell: Cell, tmp_path: Path, unlisted: str
) -> None:
    """The compiled decoder leaves envelopes whose payload may be null to the slow path."""
    place = Place(cell, tmp_path, envelope=True, unlisted=unlisted)
    whole = place.contract(3)
    fields = [
        {**field, "type": ["null", "bytes"]} if field["name"] == "payload" else field
        for field in (whole.envelope_schema or {})["fields"]
    ]
    place.writer.wrap_in(cell, whole, {**(whole.envelope_schema or {}), "fields": fields})
    product = place.contract(1)
    sent = place.send([[1, 1, 3], [1]])
    report = ingest(cell, product, once=True)
    rows = place.rows()
    values = {name: values_of(row, 1) for name, row in rows.items()}
    landed = sent if unlisted == "keep" else [one for one in sent if one.version == 1]
    assert values == {one.values["id"]: read_by(one, 1) for one in landed}
    assert report.held_back == ({0: 2} if unlisted == "wait" else {})
    assert report.dead_letters == (unlisted == "deadLetter")
    kept = [name for name, row in rows.items() if row[RECORD_VALUE] is not None]
    assert kept == (["k2"] if unlisted == "keep" else [])
