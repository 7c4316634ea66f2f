"""The publications that an execution has read, and those that it adds."""

from __future__ import annotations

from dataclasses import replace

from pipeline.control.publications import Publication, PublicationLog, latest
from tests.support.orders import hour

FIRST = Publication("orders.sales", hour(1), hour(3), 1, 2, 3, "first", 5, "1.2.0", "run", 2)
AGAIN = replace(FIRST, published_at=hour(5), wap_id="again")
OTHER = replace(FIRST, hour=hour(2), published_at=hour(4), wap_id="other")


def test_the_last_publication_of_an_hour_counts_in_whatever_order_they_were_read() -> None:
    log = PublicationLog([AGAIN, OTHER, FIRST])
    assert list(log) == [FIRST, OTHER, AGAIN]
    assert dict(log.last) == latest(log)
    assert log.last["orders.sales", hour(1)] == AGAIN


def test_what_is_added_counts_from_then_on_also_for_who_asked_before() -> None:
    log = PublicationLog([FIRST])
    last = log.last
    log.add(OTHER)
    log.add(AGAIN)
    assert last == {("orders.sales", hour(1)): AGAIN, ("orders.sales", hour(2)): OTHER}
    assert [one.wap_id for one in log] == ["first", "other", "again"]


def test_a_publication_is_known_by_its_staging_and_its_hour() -> None:
    log = PublicationLog([FIRST])
    assert log.has("orders.sales", "first", hour(1))
    assert not log.has("orders.sales", "first", hour(2))
    assert not log.has("orders.other", "first", hour(1))
    log.add(replace(FIRST, hour=hour(2)))
    assert log.has("orders.sales", "first", hour(2))


def test_the_hour_before_is_the_newest_earlier_one_whose_last_publication_has_rows() -> None:
    log = PublicationLog([FIRST, OTHER, AGAIN])
    assert log.last_before("orders.sales", hour(1)) is None
    assert log.last_before("orders.sales", hour(2)) == AGAIN
    assert log.last_before("orders.sales", hour(9)) == OTHER
    assert log.last_before("orders.other", hour(9)) is None
    log.add(replace(OTHER, rows=0, published_at=hour(6)))
    assert log.last_before("orders.sales", hour(9)) == AGAIN
    log.add(replace(OTHER, rows=1, published_at=hour(7)))
    assert log.last_before("orders.sales", hour(9)) == replace(OTHER, rows=1, published_at=hour(7))
