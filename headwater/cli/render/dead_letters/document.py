"""One dead letter as a JSON object, without what is personal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from headwater.cli.render.values import plain
from pipeline.dead_letters.look.dump import dump
from pipeline.dead_letters.look.letter import Letter
from pipeline.dead_letters.look.masking import MASKED, Mask
from pipeline.dead_letters.look.remedies import explained
from pipeline.dead_letters.opened import Opened

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def document_of(letter: Letter, opened: Opened, mask: Mask | None) -> dict[str, Any]:
    """Return all about a dead letter, without what `mask` hides; None hides nothing.

    `key` and header values are texts, in which bytes that are not UTF-8 stand as `\\xff`; `value` is
    hexadecimal.
    """
    record, means, line = letter.record, explained(letter.reason), letter.line
    return {
        "topic": letter.topic,
        "topic_id": letter.topic_id,
        "partition": record.partition,
        "offset": record.offset,
        "origin_partition": letter.origin[0],
        "origin_offset": letter.origin[1],
        "replay_id": letter.replay_id,
        "record_time": plain(_EPOCH + timedelta(microseconds=record.record_time)),
        "ingested_at": plain(letter.ingested_at),
        "run_id": letter.run_id,
        "snapshot_id": None if line is None else line.snapshot_id,
        "committed_at": None if line is None else plain(line.committed_at),
        "reason": letter.reason,
        "detail": _said(letter.detail, mask),
        "what": means.what,
        "cause": means.cause,
        "help": means.help.value,
        "remedy": means.remedy,
        "fate": letter.fate.value,
        "state": letter.fate.state.value,
        "steps": [plain(vars(one)) for one in letter.steps],
        **_contents(letter, mask),
        **_opened(opened, mask),
        "dump": _dump(letter, opened, mask),
    }


def _contents(letter: Letter, mask: Mask | None) -> dict[str, Any]:
    record = letter.record
    hides_key = mask is not None and mask.hides_keys and record.key is not None
    hides_value = mask is not None and mask.hides_bytes and record.value is not None
    return {
        "key": MASKED if hides_key else _text(record.key),
        "headers": [
            {"key": name, "value": _text(mask.header(name, held) if mask else held)}
            for name, held in record.headers
        ],
        "value_bytes": None if record.value is None else len(record.value),
        "value": MASKED if hides_value else plain(record.value),
    }


def _opened(opened: Opened, mask: Mask | None) -> dict[str, Any]:
    hides_uuid = mask is not None and mask.hides_uuids and opened.uuid is not None
    return {
        "uuid": MASKED if hides_uuid else opened.uuid,
        "event_time": _time(opened.event_time),
        "schema_id": opened.schema_id,
        "envelope": plain(mask.envelope(opened.envelope) if mask else opened.envelope),
        "fields": plain(mask.fields(opened.fields) if mask else opened.fields),
        "whole": opened.whole,
        "broke_at": opened.broke_at,
        "why": _said(opened.why, mask),
    }


def _dump(letter: Letter, opened: Opened, mask: Mask | None) -> list[str]:
    value = letter.record.value
    if value is None or (mask is not None and mask.hides_bytes):
        return []
    return dump(value, opened.broke_at)


def _said(text: str, mask: Mask | None) -> str:
    return text if mask is None else mask.detail(text)


def _text(held: bytes | None) -> str | None:
    return None if held is None else held.decode(errors="backslashreplace")


def _time(micros: int | None) -> str | None:
    if micros is None:
        return None
    try:
        return str(plain(_EPOCH + timedelta(microseconds=micros)))
    except OverflowError:
        return f"{micros} microseconds, outside of years 1 to 9999"
