"""The compacted topic of dead letters: fed from their table, killed anywhere, as another client reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, TopicPartition

from headwater.cli.dead_letters.feed import feed as feed_command
from pipeline.cells import Cell
from pipeline.contract.model import Column, Product
from pipeline.dead_letters.discard import DiscardResult, discard
from pipeline.dead_letters.selection import Selection
from pipeline.dead_letters.topic.feed import FeedResult, NoDeadLetterTopicError, feed_topic
from pipeline.ingest.run import ingest
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.topics import topic_settings
from pipeline.tables.catalog import load_table
from pipeline.tables.layout import dead_letters_table
from tests.support.apart import kill_at
from tests.support.failpoints import failpoints_of
from tests.support.load import TopicWriter

Headers = Mapping[str, Any]


@pytest.fixture
def product(strict_product: Product) -> Product:
    """A product that asks for a topic of dead letters."""
    topic = f"{strict_product.topic.name}-dead-letters"
    return strict_product.model_copy(update={"dead_letter_topic": topic})


@pytest.fixture
def writer(cell: Cell, product: Product) -> TopicWriter:
    return TopicWriter(cell, product)


def feed(cell: Cell, product: Product, most: int | None = None) -> FeedResult:
    return feed_topic(cell, product, by="test", most=most)


def compacted(cell: Cell, product: Product) -> dict[str, tuple[bytes, Headers]]:
    """Return value and headers by key, as they are once the broker has compacted, and tombstones are gone."""
    settings = {"bootstrap.servers": cell.bootstrap_servers, "group.id": "dead letters"}
    consumer = Consumer({**settings, "enable.partition.eof": True})
    topic = str(product.dead_letter_topic)
    parts = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, part, 0) for part in parts])
    found: dict[str, tuple[bytes, Headers]] = {}
    ended = 0
    while ended < len(parts):
        message = consumer.poll(30)
        assert message is not None
        if message.error() is not None:
            ended += 1
            continue
        key, value = (message.key() or b"").decode(), message.value()
        found.pop(key, None)
        if value is not None:
            found[key] = value, dict(message.headers() or ())
    consumer.close()
    return found


def letters(cell: Cell, product: Product) -> dict[str, dict[str, Any]]:
    rows = load_table(cell, dead_letters_table(product.name)).scan().to_arrow().to_pylist()
    return {f"{r['_topic_id']}/{r['_topic_partition']}/{r['_offset']}": r for r in rows}


def discarding(cell: Cell, product: Product, key: str) -> partial[DiscardResult]:
    """Return what discards one dead letter."""
    _, partition, offset = key.split("/")
    at = int(offset)
    selection = Selection(partition=int(partition), start=at, end=at + 1)
    return partial(discard, cell, product, selection, by="ann", reason="it was a test")


def test_the_topic_has_what_the_table_has_whoever_feeds_it_and_how_often(
    cell: Cell, product: Product, writer: TopicWriter
) -> None:
    kinds = ("text", "tombstone", "null key", "stale")
    writer.send([*(writer.poison(kind) for kind in kinds), writer.event()])
    ingest(cell, product, once=True)

    assert (feed(cell, product, most=3).left, feed(cell, product).left) == (1, 0)
    assert feed(cell, product).open is None, "nothing was looked at"

    rows, told = letters(cell, product), compacted(cell, product)
    assert told.keys() == rows.keys()
    for key, (value, headers) in told.items():
        row = rows[key]
        assert value == (row["record_value"] or b"")
        assert headers.get("headwater-key") == row["record_key"]
        assert headers["headwater-reason"].decode() == row["reason"]
        assert headers["headwater-detail"].decode() == row["detail"]
        assert headers["headwater-dead-letter-at"].decode() == row["_ingested_at"].isoformat()
        assert headers["producer"] == b"load", "its own are there, too"
    with connect_admin(cell) as admin:
        assert topic_settings(admin, str(product.dead_letter_topic))["cleanup.policy"] == "compact"

    writer.send([writer.event()])
    ingest(cell, product, once=True)
    assert feed(cell, product).open is None, "a commit without dead letters changes nothing"
    first, second, *rest = sorted(rows)
    for key in (first, second):
        assert discarding(cell, product, key)().discarded == 1
    writer.send([writer.poison("text")])
    ingest(cell, product, once=True)
    done = feed(cell, product)
    assert (done.shown, done.withdrawn, done.open) == (1, 2, len(rest) + 1)
    assert compacted(cell, product).keys() == letters(cell, product).keys() - {first, second}
    other = product.model_copy(update={"dead_letter_topic": f"{product.dead_letter_topic}-2"})
    assert feed(cell, other).shown == len(rest) + 1, "a topic of another name is fed anew"
    assert compacted(cell, other) == compacted(cell, product)


def test_a_feed_that_is_killed_is_made_up_for_by_the_next(
    cell: Cell, product: Product, writer: TopicWriter
) -> None:
    writer.send([writer.poison("text") for _ in range(3)])
    ingest(cell, product, once=True)
    rows = sorted(letters(cell, product))
    work = partial(feed_topic, cell, product, by="killed")
    assert set(failpoints_of("dead_letters")) == {
        "dead_letters.begun",
        "dead_letters.sent",
        "dead_letters.withdrawn",
    }
    kill_at("dead_letters.begun", cell.root, work)
    kill_at("dead_letters.sent", cell.root, work)
    # What may have been sent, and is settled before anybody has noted that it was.
    assert set(failpoints_of("discard")) == {"discard.noted", "discard.committed"}
    kill_at("discard.noted", cell.root, discarding(cell, product, rows[0]))
    kill_at("discard.committed", cell.root, discarding(cell, product, rows[0]))
    kill_at("dead_letters.withdrawn", cell.root, work)
    feed(cell, product)
    assert sorted(compacted(cell, product)) == rows[1:]


def test_details_quote_no_value_of_a_product_with_personal_columns(
    cell: Cell, product: Product, writer: TopicWriter
) -> None:
    personal = (Column(name="note", classification="pii"),)
    product = product.model_copy(update={"columns": personal})
    writer.send([writer.poison("unknown schema")])
    ingest(cell, product, once=True)
    feed(cell, product)
    ((_, headers),) = compacted(cell, product).values()
    assert "'" not in headers["headwater-detail"].decode()


def test_who_has_not_asked_for_a_topic_is_told_how(
    cell: Cell, strict_product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoDeadLetterTopicError, match="deadLetterTopic"):
        feed(cell, strict_product)
    monkeypatch.setenv("HEADWATER_HOME", str(cell.root.parents[1]))
    monkeypatch.setenv("HEADWATER_CONTRACTS", str(strict_product.folder.parent))
    document = strict_product.folder / "contract.yaml"
    topic = f"{strict_product.topic.name}-dead"
    document.write_text(
        document.read_text().replace(
            "      key: sensor", f"      deadLetterTopic: {topic}\n      key: sensor"
        )
    )
    TopicWriter(cell, strict_product).fill(10)
    ingest(cell, strict_product, once=True)
    ran = CliRunner().invoke(feed_command, [strict_product.name, "--cell", "us", "--json"])
    assert json.loads(ran.output)["topic"] == topic
