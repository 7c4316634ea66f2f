"""Drawing a partition's log, and reading one as the engine does."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from pipeline.kafka.record_batches import BatchSlice, FetchedRange, Gap, GapKind
from pipeline.kafka.records import records_in
from tests.decoder.batches import CODECS, TRANSACTIONAL, Wrote, batch, marker

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


def found(passed: FetchedRange) -> tuple[list[Wrote], dict[GapKind, int]]:
    """Return the records that were found, and how many offsets of each kind hold none."""
    sections = [item for item in passed.items if isinstance(item, BatchSlice)]
    gaps = dict.fromkeys(GapKind, 0)
    for item in passed.items:
        if isinstance(item, Gap):
            gaps[item.kind] += item.high - item.low
    if not sections:
        return [], gaps
    records = records_in(sections)
    raw = [records.record(number) for number in range(len(records))]
    return [Wrote(r.offset, r.record_time // 1000, r.key, r.value, r.headers) for r in raw], gaps
