"""Record batches: every record is found, every other offset is told by kind."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kafka.record_batches import Gap, GapKind, parse_batches
from tests.decoder.batches import CONTROL, TRANSACTIONAL, Wrote, batch
from tests.decoder.logs import Log, found, logs
from tests.decoder.tally import TALLY


@settings(settings.get_profile("decoder"))
@given(logs(), st.data())
def test_every_committed_record_of_a_range_is_found_and_every_other_offset_told(
    log: Log, data: st.DataObject
) -> None:
    records, gaps = found(parse_batches(0, log.data, 0, log.end, log.aborted))
    assert records == log.kept
    assert gaps == log.gaps
    start = data.draw(st.integers(0, log.end))
    end = data.draw(st.integers(start, log.end))
    within, _ = found(parse_batches(0, log.data, start, end, log.aborted))
    assert within == [one for one in log.kept if start <= one.offset < end]
    TALLY["logs of transactions, markers and holes"] += 1


def test_a_marker_that_compaction_took_away_is_still_a_marker() -> None:
    emptied = batch(5, 5, [], attributes=TRANSACTIONAL | CONTROL, producer=1)
    assert parse_batches(0, emptied, 5, 6, [(1, 0)]).items == [Gap(0, GapKind.CONTROL, 5, 6)]


@pytest.mark.parametrize(("base", "edge"), [(2**63 - 1, 1), (-(2**63), -1)])
def test_a_time_that_microseconds_cannot_hold_is_the_furthest_they_can(
    base: int, edge: int
) -> None:
    records, _ = found(parse_batches(0, batch(0, 0, [Wrote(0, base, None, b"v")]), 0, 1, ()))
    assert [one.time for one in records] == [edge * ((2**63 - 1) // 1000)]
