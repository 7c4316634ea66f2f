"""A few records on their whole way: produced, ingested, and read again by another client."""

from __future__ import annotations

import uuid

import headwater

AT = 1_780_000_000_000_000


def send_records(cell: headwater.Cell, product: headwater.Product, at: int = AT) -> None:
    """Send five records of `strict_product`, `at` in microseconds; its topic is made if it is not there."""
    headwater.ensure_topic(cell, product)
    with headwater.EventWriter(cell, product, headwater.open_registry(cell)) as writer:
        for value in range(5):
            payload = {"sensor": "attic", "at": at, "value": value, "note": None}
            writer.send(payload, key="attic", event_time=at, uuid=str(uuid.uuid4()))


def assert_records_become_rows(cell: headwater.Cell, product: headwater.Product) -> None:
    """Send five records of `strict_product`, and find them in its table and its verified ledger."""
    send_records(cell, product)
    report = headwater.ingest(cell, product, once=True)
    assert (report.rows, report.dead_letters) == (5, 0)
    assert headwater.verify_ledger(cell, product).balanced
