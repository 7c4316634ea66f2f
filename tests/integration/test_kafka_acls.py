"""A cluster with ACLs: those of docs/how-to/secure-kafka.md are enough, and errors name what is missing."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

import headwater
from pipeline.hours.read import read_hour_states
from pipeline.ingest.read.source import Source
from pipeline.kafka.connect import connect_admin
from pipeline.kafka.errors import KafkaAccessError
from pipeline.kafka.security.access import Operation
from pipeline.kafka.topics import TopicMissingError, describe_topic
from quality.freshness import measure_freshness
from tests.support.acls import NEEDS, permit
from tests.support.secured_broker import LIMITED, USER, Secured
from tests.support.whole_way import send_records

SOON_S = 15.0
"""Within this a refusal is told, beside others that work this machine hard."""
Part = Callable[[headwater.Cell, headwater.Product], object]


def send(cell: headwater.Cell, product: headwater.Product) -> None:
    send_records(cell, product, time.time_ns() // 1000)


def ingest(cell: headwater.Cell, product: headwater.Product) -> None:
    report = headwater.ingest(cell, product, once=True)
    assert (report.rows, report.dead_letters) == (5, 0)


def look_for_compaction(cell: headwater.Cell, product: headwater.Product) -> None:
    source = Source(cell, product, threading.Event())
    source.topic_state(is_new=True)
    try:
        assert not source.compacts()
    finally:
        source.close()


def verify(cell: headwater.Cell, product: headwater.Product) -> None:
    found = headwater.verify_ledger(cell, product)
    assert found.balanced
    assert sum(one.readable for one in found.recounts) == 5


PARTS: dict[str, tuple[list[Part], Part]] = {
    "make a topic": ([], headwater.ensure_topic),
    "produce": ([headwater.ensure_topic], send),
    "ingest": ([send], ingest),
    "ingest a compacted topic": ([send], look_for_compaction),
    "see hours": ([send, ingest], read_hour_states),
    "see the health": ([send], measure_freshness),
    "verify": ([send, ingest], verify),
}
"""Part of the page -> what comes before it, and the part itself."""


@pytest.fixture
def every(cell: headwater.Cell, secured: Secured) -> headwater.Cell:
    """The cell by a login that may do everything."""
    return logged_in(cell, secured, USER)


@pytest.fixture
def limited(cell: headwater.Cell, secured: Secured) -> headwater.Cell:
    """The same cell by a login that may do what ACLs say."""
    return logged_in(cell, secured, LIMITED)


def logged_in(cell: headwater.Cell, secured: Secured, user: str) -> headwater.Cell:
    login = {**secured.by_login("PLAIN", user=user), "security.protocol": "SASL_PLAINTEXT"}
    return replace(cell, bootstrap_servers=secured.open_login, kafka=login)


def refused(part: Part, cell: headwater.Cell, product: headwater.Product) -> Operation:
    """Return the operation for which the part's error asks."""
    begun = time.monotonic()
    with pytest.raises(KafkaAccessError) as caught:
        part(cell, product)
    assert time.monotonic() - begun < SOON_S
    topic = re.escape(product.topic.name)
    asked = re.search(rf"`kafka-acls .* --operation (\w+) --topic {topic}`", caught.value.remedy)
    assert asked is not None, caught.value.remedy
    assert f"may not {asked[1]} this topic" in caught.value.what
    assert caught.value.subject == f"topic {product.topic.name}"
    return Operation(asked[1])


def steps(operations: Iterable[Operation]) -> list[set[Operation]]:
    """Return none of them, and each of them left out."""
    every = set(operations)
    return [set(), *(every - {one} for one in every if len(every) > 1)]


def test_the_page_lists_every_part() -> None:
    assert {*NEEDS} == {*PARTS}


@pytest.mark.parametrize("name", PARTS)
def test_what_the_page_lists_is_enough_and_no_more(
    every: headwater.Cell,
    limited: headwater.Cell,
    strict_product: headwater.Product,
    secured: Secured,
    name: str,
) -> None:
    before, part = PARTS[name]
    for prepare in before:
        prepare(every, strict_product)
    topic = strict_product.topic.name
    for permitted in steps(NEEDS[name]):
        permit(secured, topic, permitted)
        asked = refused(part, limited, strict_product)
        assert asked in NEEDS[name] - permitted
    permit(secured, topic, NEEDS[name])
    part(limited, strict_product)


def test_the_whole_way_passes_with_what_the_page_lists(
    limited: headwater.Cell, strict_product: headwater.Product, secured: Secured
) -> None:
    permit(secured, strict_product.topic.name, set().union(*NEEDS.values()) - {Operation.DESCRIBE})
    for part in (send, measure_freshness, ingest, read_hour_states, verify):
        part(limited, strict_product)


@pytest.mark.parametrize(
    ("before", "part", "operation"),
    [
        ([headwater.ensure_topic], send, Operation.WRITE),
        ([send], ingest, Operation.READ),
        ([send], measure_freshness, Operation.READ),
        ([send, ingest], verify, Operation.READ),
    ],
)
def test_who_may_describe_a_topic_is_told_what_is_missing_beside_that(
    every: headwater.Cell,
    limited: headwater.Cell,
    strict_product: headwater.Product,
    secured: Secured,
    before: list[Part],
    part: Part,
    operation: Operation,
) -> None:
    for prepare in before:
        prepare(every, strict_product)
    permit(secured, strict_product.topic.name, {Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS})
    assert refused(part, limited, strict_product) is operation
    if part is send:
        # Who may write any topic has a producer id, and is refused later.
        permit(secured, "another", {Operation.WRITE})
        assert refused(part, limited, strict_product) is operation


def test_a_missing_topic_is_told_from_one_that_may_not_be_described(
    every: headwater.Cell,
    limited: headwater.Cell,
    strict_product: headwater.Product,
    secured: Secured,
) -> None:
    topic = strict_product.topic.name

    def describe(cell: headwater.Cell, _: headwater.Product) -> None:
        with connect_admin(cell) as admin:
            describe_topic(admin, topic)

    permit(secured, topic, {Operation.DESCRIBE})
    with pytest.raises(TopicMissingError):
        describe(limited, strict_product)
    for makes_it in (False, True):
        if makes_it:
            headwater.ensure_topic(every, strict_product)
        permit(secured, topic, set())
        assert refused(describe, limited, strict_product) is Operation.DESCRIBE
        with pytest.raises(KafkaAccessError, match="nor be told whether there is one"):
            describe(limited, strict_product)
    permit(secured, topic, {Operation.DESCRIBE})
    describe(limited, strict_product)
