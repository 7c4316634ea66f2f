"""Drawing the records of a contract's topic, each with what must become of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.decoder.batches import Wrote
from tests.round_trip.avro import MICROS, OutOfRangeError, Type, encode, meant, resolve
from tests.round_trip.contracts import Contract
from tests.round_trip.values import values

NOW_MS = 1_767_225_600_000
ENVELOPE_ID, PAYLOAD_ID, UNKNOWN_ID = 7, 1, 99
TOPIC_ID, CLUSTER_ID = "topic-id", "cluster"
OUT_OF_RANGE = ("out_of_range",)
WRONG = ("no_value", "bad_framing", "unknown_schema", "too_long", "too_short", "key")


@dataclass(frozen=True)
class Sent:
    """A record, and what must become of it.

    Attributes:
        wrote: the record.
        row: its row: the columns that it determines, and the payload's. None: a dead letter.
        reasons: those that the dead letter may have.
    """

    wrote: Wrote
    row: Mapping[str, Any] | None
    reasons: tuple[str, ...] = ()


def records(contract: Contract, *, most: int = 8) -> st.SearchStrategy[list[Sent]]:
    """Draw records of a contract that the check has passed."""
    return (
        st.integers(1, most)
        .flatmap(
            lambda count: st.tuples(*(_one(_Drawn(contract), offset) for offset in range(count)))
        )
        .map(list)
    )


class _Drawn:
    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.payload = resolve(contract.payload)
        self.envelope = None if contract.envelope is None else resolve(contract.envelope)


@st.composite
def _one(draw: st.DrawFn, drawn: _Drawn, offset: int) -> Sent:
    settings = drawn.contract.settings
    wild = draw(st.integers(0, 7)) == 0
    value = dict(draw(values(drawn.payload, wild=wild)))
    wrong = draw(st.sampled_from([None] * 12 + [*WRONG]))
    types = dict(drawn.payload.parts)
    key = _plain(types[settings["key"]], value[settings["key"]])
    if key is None or key == "":
        # In most records they are there.
        value[settings["key"]] = draw(values(types[settings["key"]]))
        key = _plain(types[settings["key"]], value[settings["key"]])
    time_type = types[settings["eventTime"]]
    body = encode(drawn.payload, value)
    record_key = str(key).encode() if key is not None else None
    own: dict[str, Any]
    fault: tuple[str, ...] = () if key not in (None, "") else ("null_key",)
    if drawn.envelope is not None:
        outer = dict(draw(values(drawn.envelope)))
        outer |= {
            "uuid": str(draw(st.uuids())),
            "key": "" if key is None else str(key),
            "schema_version": 1,
            "timestamp": draw(st.integers(*MICROS) | st.sampled_from(MICROS)),
            "payload": body,
        }
        body, number = encode(drawn.envelope, outer), ENVELOPE_ID
        own = {"_uuid": outer["uuid"], "_event_time": outer["timestamp"], "_key": outer["key"]}
        if wrong == "key" and record_key:
            record_key = draw(st.sampled_from([None, record_key + b"x"]))
            fault = ("null_key",) if record_key is None else ("key_mismatch",)
    else:
        number = PAYLOAD_ID
        named = (
            _plain(types[settings["uuid"]], value[settings["uuid"]]) if "uuid" in settings else None
        )
        place = f"{CLUSTER_ID}/{drawn.contract.topic}/0/{offset}"
        own = {"_uuid": named or str(uuid.uuid5(uuid.NAMESPACE_URL, place)), "_key": str(key)}
        try:
            own["_event_time"] = meant(time_type, value[settings["eventTime"]])
        except OutOfRangeError:
            fault = (*fault, *OUT_OF_RANGE)
        else:
            fault = (*fault, "no_event_time") if own["_event_time"] is None else fault
    try:
        row = meant(drawn.payload, value)
    except OutOfRangeError:
        row, fault = None, (*fault, *OUT_OF_RANGE)
    framed = b"\0" + number.to_bytes(4, "big") + body
    sent, faulty = _broken(framed, wrong, body)
    if faulty:
        fault = faulty
    own |= {
        "_offset": offset,
        "_schema_version": 1,
        "_topic_partition": 0,
        "_topic": drawn.contract.topic,
    }
    own |= {"_record_time": NOW_MS * 1000 + offset * 1000, "_late": False}
    wrote = Wrote(offset, NOW_MS + offset, record_key, sent)
    return Sent(wrote, None if fault else {**own, **row}, fault)


def _broken(framed: bytes, wrong: str | None, body: bytes) -> tuple[bytes | None, tuple[str, ...]]:
    if wrong == "no_value":
        return None, ("no_value",)
    if wrong == "bad_framing":
        return b"\1" + framed[1:], ("bad_framing",)
    if wrong == "unknown_schema":
        return b"\0" + UNKNOWN_ID.to_bytes(4, "big") + body, ("unknown_schema",)
    if wrong == "too_long":
        return framed + b"\0", ("undecodable",)
    if wrong == "too_short" and body:
        return framed[:-1], ("undecodable",)
    return framed, ()


def _plain(type_: Type, value: Any) -> Any:
    if type_.kind == "union":
        branch, inner = value
        return _plain(type_.parts[branch][1], inner)
    return value


def uuids_differ(sent: Sequence[Sent]) -> bool:
    """Return whether no two rows have the same uuid."""
    found = [one.row["_uuid"] for one in sent if one.row is not None]
    return len(set(found)) == len(found)
