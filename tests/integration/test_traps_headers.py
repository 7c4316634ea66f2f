"""Headers and keys of every kind of bytes: what can be read is kept, and the next record lands."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.ingest.run import ingest
from pipeline.kafka.framing import KEPT_HEADERS
from pipeline.ledger.verify import verify_ledger
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table, events_table
from tests.support.judge import judge
from tests.support.load import Message, TopicWriter
from tests.support.products import own_product

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
STRANGE = {
    "Latin-1": b"caf\xe9",
    "Latin-1, long": b"caf\xe9 au lait, s'il vous pla\xeet",
    "a lone surrogate": b"a\xed\xa0\x80z",
    "an overlong form": b"\xc0\xaf",
    "half a character": "ü".encode()[:1],
    "a byte order mark": b"\xff\xfeo\0k\0",
    "NUL": b"\0a\0",
    "empty": b"",
    "null": None,
}


@pytest.fixture(params=["envelope", "none"])
def product(request: pytest.FixtureRequest, tmp_path: Path) -> Product:
    """The test product, on a topic of its own, with an envelope and without."""
    return own_product("strict_events", tmp_path / "contracts", bare=request.param == "none")


def rows(cell: Cell, product: Product) -> list[dict[str, Any]]:
    held = load_table(cell, events_table(product.name)).scan().to_arrow().to_pylist()
    return sorted(held, key=lambda row: (row["_topic_partition"], row["_offset"]))


def letters(cell: Cell, product: Product) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        load_table(cell, dead_letters_table(product.name)).scan().to_arrow().to_pylist()
    )
    return found


def read(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")


def test_a_header_that_is_not_utf_8_keeps_what_can_be_read_and_holds_up_nothing(
    cell: Cell, product: Product
) -> None:
    writer = TopicWriter(cell, product)
    said: list[dict[str, bytes | None]] = []
    for codec, name in itertools.product(CODECS, (*KEPT_HEADERS, "other")):
        sound: dict[str, bytes | None] = {each: f"{each}, read".encode() for each in KEPT_HEADERS}
        strange = [sound | {name: value} for value in STRANGE.values()]
        batch = [one for each in strange for one in (sound, each)] + [sound]
        messages = [replace(writer.event(), headers=tuple(each.items())) for each in batch]
        writer.send(messages, codec=codec)
        said += batch

    report = ingest(cell, product, once=True)

    assert (report.rows, report.dead_letters) == (len(said), 0)
    for row, headers in zip(rows(cell, product), said, strict=True):
        assert {name: row[f"_{name}"] for name in KEPT_HEADERS} == {
            name: read(headers[name]) for name in KEPT_HEADERS
        }
    writer.send([writer.event()])
    assert ingest(cell, product, once=True).rows == 1
    assert verify_ledger(cell, product).balanced
    if product.topic.envelope:
        assert judge(cell, product).exact


def test_of_a_header_that_is_said_twice_the_last_counts(cell: Cell, product: Product) -> None:
    writer = TopicWriter(cell, product)
    twice = (("producer", b"first"), ("producer", b"caf\xe9"), ("job_id", b"j"), ("job_id", None))
    writer.send([replace(writer.event(), headers=twice), replace(writer.event(), headers=())])
    assert ingest(cell, product, once=True).rows == 2
    held = [(row["_producer"], row["_job_id"]) for row in rows(cell, product)]
    assert held == [("caf\ufffd", None), (None, None)]


KEYS = {
    "Latin-1": b"caf\xe9",
    "a lone surrogate": b"\xed\xa0\x80",
    "NUL": b"\0",
    "empty": b"",
    "null": None,
    "1 MB": b"k" * 1_000_000,
    "1 MB of Latin-1": b"\xe9" * 1_000_000,
}


def test_a_strange_record_key_costs_at_most_its_own_record(cell: Cell, product: Product) -> None:
    writer = TopicWriter(cell, product)
    strange = [replace(writer.event(), key=key) for key in KEYS.values()]
    sent: list[Message] = [one for each in strange for one in (each, writer.event())]
    writer.send(sent)

    report = ingest(cell, product, once=True)

    if product.topic.envelope:
        # The envelope says the key as well, and another one than the record.
        assert report.rows == len(KEYS)
        assert report.reasons == {"key_mismatch": len(KEYS) - 1, "null_key": 1}
        held = {letter["_offset"]: letter for letter in letters(cell, product)}
        for number, key in enumerate(KEYS.values()):
            assert held[2 * number]["record_key"] == key
            assert held[2 * number]["record_value"] == strange[number].value
        assert judge(cell, product).exact
    else:
        # The payload alone says the key.
        assert (report.rows, report.dead_letters) == (len(sent), 0)
    assert verify_ledger(cell, product).balanced
