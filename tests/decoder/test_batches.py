"""Record batches: what stands in them is found, what does not is never made up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kafka.record_batches import (
    Gap,
    GapKind,
    Passed,
    RecordFormatError,
    RecordsCorruptError,
    Section,
    unpack,
)
from pipeline.kafka.records import frame
from tests.decoder import slow_batches
from tests.decoder.batches import CODECS, CONTROL, TRANSACTIONAL, Wrote, batch, marker, resealed
from tests.decoder.mutation import mutated
from tests.decoder.tally import TALLY

APPEND_TIME = 0x08
HEADER_BYTES = 61
FAR = 1 << 40
HEADER = st.tuples(
    st.sampled_from(["traceparent", "producer", "job_id", "other", ""]),
    st.none() | st.binary(max_size=8),
)


@st.composite
def written(draw: st.DrawFn, base: int, most: int = 5) -> tuple[list[Wrote], int]:
    """Draw the records of one batch from `base` on, with holes, and its last offset."""
    count = draw(st.integers(1, most))
    steps = draw(st.lists(st.integers(1, 3), min_size=count, max_size=count))
    at, records = base - 1 + draw(st.integers(0, 1)), []
    for step in steps:
        at += step
        records.append(
            Wrote(
                at,
                draw(st.integers(1_600_000_000_000, 1_900_000_000_000)),
                draw(st.none() | st.binary(max_size=8)),
                draw(st.none() | st.binary(max_size=20)),
                tuple(draw(st.lists(HEADER, max_size=3))),
            )
        )
    return records, at + draw(st.integers(0, 2))


@dataclass
class Log:
    """A partition's log, and what a reader of committed records must find in it."""

    data: bytes = b""
    end: int = 0
    kept: list[Wrote] = None  # type: ignore[assignment]
    gaps: dict[GapKind, int] = None  # type: ignore[assignment]
    aborted: list[tuple[int, int]] = None  # type: ignore[assignment]


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Draw batches of every codec: plain ones, and transactions that commit or abort."""
    log = Log(kept=[], gaps=dict.fromkeys(GapKind, 0), aborted=[])
    for producer in range(draw(st.integers(1, 5))):
        records, last = draw(written(log.end))
        codec = draw(st.sampled_from(sorted(CODECS)))
        kind = draw(st.sampled_from(["plain", "committed", "aborted"]))
        attributes = 0 if kind == "plain" else TRANSACTIONAL
        log.data += batch(
            log.end, last, records, codec=codec, attributes=attributes, producer=producer
        )
        if kind == "aborted":
            log.aborted.append((producer, log.end))
            log.gaps[GapKind.ABORTED] += last + 1 - log.end
        else:
            log.kept += records
        log.end = last + 1
        if kind != "plain":
            log.data += marker(log.end, producer, aborts=kind == "aborted")
            log.gaps[GapKind.CONTROL] += 1
            log.end += 1
    return log


def found(passed: Passed) -> tuple[list[Wrote], dict[GapKind, int]]:
    sections = [item for item in passed.items if isinstance(item, Section)]
    gaps = dict.fromkeys(GapKind, 0)
    for item in passed.items:
        if isinstance(item, Gap):
            gaps[item.kind] += item.high - item.low
    if not sections:
        return [], gaps
    records = frame(sections, [one.records() for one in sections])
    raw = [records.record(number) for number in range(len(records))]
    return [Wrote(r.offset, r.record_time // 1000, r.key, r.value, r.headers) for r in raw], gaps


@settings(settings.get_profile("decoder"))
@given(logs(), st.data())
def test_every_committed_record_of_a_range_is_found_and_every_other_offset_told(
    log: Log, data: st.DataObject
) -> None:
    records, gaps = found(unpack(0, log.data, 0, log.end, log.aborted))
    assert records == log.kept
    assert gaps == log.gaps
    start = data.draw(st.integers(0, log.end))
    end = data.draw(st.integers(start, log.end))
    within, _ = found(unpack(0, log.data, start, end, log.aborted))
    assert within == [one for one in log.kept if start <= one.offset < end]
    TALLY["logs of transactions, markers and holes"] += 1


@settings(settings.get_profile("decoder"))
@given(st.data())
def test_a_broken_batch_is_refused_or_read_as_the_slow_reader_reads_it(
    data: st.DataObject,
) -> None:
    records, last = data.draw(written(0))
    whole = batch(0, last, records, codec=data.draw(st.sampled_from(sorted(CODECS))))
    if data.draw(st.booleans()):
        # A checksum that fits: only the reader of records stands between these bytes and a table.
        broken = resealed(whole[:HEADER_BYTES] + data.draw(mutated(whole[HEADER_BYTES:])))
    else:
        broken = data.draw(mutated(whole))
    try:
        mine, _ = found(unpack(0, broken, 0, FAR, ()))
    except (RecordsCorruptError, RecordFormatError):
        TALLY["broken batches refused"] += 1
        return
    TALLY["broken batches that were still batches"] += 1
    # Offsets that are passed without a record are compaction's, or unexplained: never made up.
    if mine:
        assert mine == list(_slowly(broken))


def _slowly(data: bytes) -> Iterable[Wrote]:
    read = slow_batches.read(data)
    if read is None or read[0] & CONTROL:
        return ()
    attributes, records = read
    wanted = [one for one in records if 0 <= one.offset < FAR]
    if attributes & APPEND_TIME:
        latest = int.from_bytes(data[35:43], "big", signed=True)
        wanted = [Wrote(o.offset, latest, o.key, o.value, o.headers) for o in wanted]
    return wanted
