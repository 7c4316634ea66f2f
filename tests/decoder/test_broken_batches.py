"""Broken record batches: refused by name, or read as a reader in plain Python reads them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kafka.record_batches import RecordFormatError, RecordsCorruptError, parse_batches
from tests.decoder import slow_batches
from tests.decoder.batches import CODECS, CONTROL, Wrote, batch, marker, resealed
from tests.decoder.logs import Log, found, logs, written
from tests.decoder.mutation import mutated
from tests.decoder.tally import TALLY

APPEND_TIME = 0x08
HEADER_BYTES = 61
FAR = 1 << 40
LATEST = (2**63 - 1) // 1000
REFUSALS = (RecordsCorruptError, RecordFormatError)


@st.composite
def broken_batches(draw: st.DrawFn) -> bytes:
    """Draw a batch, or a marker, that is broken somewhere: mostly with a checksum that fits."""
    records, last = draw(written(0))
    codec = draw(st.sampled_from(sorted(CODECS)))
    whole = draw(
        st.sampled_from([batch(0, last, records, codec=codec)] * 4 + [marker(0, 1, aborts=True)])
    )
    how = draw(st.sampled_from(["anywhere", "records", "records", "header"]))
    head, body = whole[:HEADER_BYTES], whole[HEADER_BYTES:]
    if how == "anywhere":
        return draw(mutated(whole))
    # A checksum that fits: only the reader of records stands between these bytes and a table.
    if how == "records":
        return resealed(head + draw(mutated(body)))
    field = draw(st.integers(21, HEADER_BYTES - 1))
    torn = bytearray(head)
    torn[field] = draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    return resealed(bytes(torn) + body)


@settings(settings.get_profile("decoder"))
@given(broken_batches())
def test_a_broken_batch_is_refused_or_read_as_the_slow_reader_reads_it(broken: bytes) -> None:
    try:
        mine, _ = found(parse_batches(0, broken, 0, FAR, ()))
    except REFUSALS:
        TALLY["broken batches refused"] += 1
        return
    TALLY["broken batches that were still batches"] += 1
    assert mine == _slowly(broken)


@settings(settings.get_profile("decoder"))
@given(logs(), st.data())
def test_of_a_log_with_a_broken_batch_records_before_it_are_found_and_none_is_made_up(
    log: Log, data: st.DataObject
) -> None:
    parts = _parts(log.data)
    at = data.draw(st.integers(0, len(parts) - 1))
    # Not its offset: that stands outside the checksum, and nothing tells that it is wrong.
    parts[at] = parts[at][:8] + data.draw(mutated(parts[at][8:]))
    try:
        mine, _ = found(parse_batches(0, b"".join(parts), 0, log.end, log.aborted))
    except REFUSALS:
        TALLY["logs with a broken batch refused"] += 1
        return
    TALLY["logs with a broken batch read up to it"] += 1
    assert mine == log.kept[: len(mine)]


@pytest.mark.parametrize("left", range(8))
def test_a_marker_cut_within_its_record_is_refused(left: int) -> None:
    # The kind ends with the ninth byte.
    cut = resealed(marker(0, 1, aborts=True)[: HEADER_BYTES + left])
    with pytest.raises(RecordsCorruptError):
        parse_batches(0, cut, 0, 1, ())


@pytest.mark.parametrize(("base", "last"), [(5, 4), (2**63 - 1, 2**63 - 1), (-1, 0)])
def test_a_batch_of_impossible_offsets_is_refused(base: int, last: int) -> None:
    with pytest.raises(RecordsCorruptError):
        parse_batches(0, batch(base, last, []), 0, FAR, ())


def _parts(log: bytes) -> list[bytes]:
    parts = []
    while log:
        size = 12 + int.from_bytes(log[8:12], "big")
        parts.append(log[:size])
        log = log[size:]
    return parts


def _slowly(data: bytes) -> list[Wrote]:
    # Of a marker's record only the kind is read: what else stands in it reaches no table.
    if len(data) >= HEADER_BYTES and data[22] & CONTROL:
        return []
    read = slow_batches.read(data)
    if read is None:
        return []
    attributes, records = read
    latest = int.from_bytes(data[35:43], "big", signed=True)
    if attributes & APPEND_TIME and latest >= 0:
        records = [Wrote(o.offset, latest, o.key, o.value, o.headers) for o in records]
    return [
        Wrote(o.offset, max(-LATEST, min(o.time, LATEST)), o.key, o.value, o.headers)
        for o in records
        if 0 <= o.offset < FAR
    ]
