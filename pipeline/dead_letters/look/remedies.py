"""What each reason of a dead letter means, what it usually comes of, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pipeline.ingest.transform.records import Reason


class Help(StrEnum):
    """What makes a row of a dead letter."""

    REPLAY = "a replay as it is"
    SCHEMA = "a replay, after a schema is registered or listed"
    FIX = "a replay with `--fix`"
    NONE = "only a discard"


@dataclass(frozen=True)
class Explained:
    """One reason in words, for people; they may change.

    Attributes:
        what: what is wrong with the record.
        cause: what it usually comes of.
        help: what may make a row of it.
        remedy: what to do.
    """

    what: str
    cause: str
    help: Help
    remedy: str


EXPLAINED = {
    Reason.NO_VALUE: Explained(
        "the record has no value",
        "a tombstone, on a topic whose contract does not say `debezium`",
        Help.NONE,
        "Discard it: no event can be made of it.",
    ),
    Reason.BAD_FRAMING: Explained(
        "the value does not begin as the contract's framing does",
        "a producer without the serializer that the contract names, or of another topic",
        Help.FIX,
        "Correct the producer; mend its bytes by a function, or discard what is no event.",
    ),
    Reason.UNKNOWN_SCHEMA: Explained(
        "the id or version of its schema is not registered",
        "a producer with another registry, or one whose schemas were lost",
        Help.SCHEMA,
        "Register the schema under the id or version that the detail names, then replay.",
    ),
    Reason.UNDECODABLE: Explained(
        "the bytes are no value of their schema",
        "a record that was cut, a serializer with another schema, a type that is not the contract's",
        Help.FIX,
        "Look where it broke; what can be read can be mended by a function, else discard it.",
    ),
    Reason.NULL_KEY: Explained(
        "the record, its envelope or its payload has no key",
        "a producer that sends without a key, or a field that is not filled in",
        Help.FIX,
        "Correct the producer; mend the key where another field tells it.",
    ),
    Reason.INVALID_ENVELOPE: Explained(
        "the envelope lacks what it must say",
        "an envelope without its uuid, its payload, or the version of its payload's schema",
        Help.FIX,
        "Correct the producer; mend what lacks, where anything tells it.",
    ),
    Reason.PAYLOAD_TOO_LARGE: Explained(
        "the payload is larger than the contract lets through",
        "events that hold whole documents or pictures",
        Help.REPLAY,
        "Raise `gates.payload` in the contract and replay, or mend it to be smaller.",
    ),
    Reason.STALE: Explained(
        "it came later than the gates let through",
        "a producer that was cut off, or one whose clock is slow",
        Help.REPLAY,
        "Replay it: the freshness gate does not hold replayed records back.",
    ),
    Reason.AHEAD: Explained(
        "its event time lies too far ahead of its record time",
        "a producer whose clock is fast, or a time in another unit",
        Help.REPLAY,
        "Replay it once its time has come, or raise `gates.ahead`; no fix moves it to another hour.",
    ),
    Reason.OUT_OF_RANGE: Explained(
        "sound bytes, whose value no column can hold",
        "a time in another unit, a number too large, digits too many",
        Help.FIX,
        "Mend the field that the detail names.",
    ),
    Reason.UNLISTED_SCHEMA: Explained(
        "a registered version of the payload that the contract does not list",
        "a producer that is ahead of the contract",
        Help.SCHEMA,
        "List the version in `schemas.payload` of the contract, then replay.",
    ),
    Reason.NO_TIMESTAMP: Explained(
        "the record has no timestamp",
        "a client from before Kafka 0.10, or one that sends -1",
        Help.REPLAY,
        "Replay it: Kafka has its timestamp then from the replay.",
    ),
    Reason.UNWRITABLE: Explained(
        "an error without a name came of this record alone",
        "a mistake of Headwater's, or of a library's",
        Help.REPLAY,
        "Report it with the detail; replay it after an upgrade.",
    ),
    Reason.QUARANTINED: Explained(
        "somebody set its offset aside before it was read",
        "`headwater ingest quarantine`; the detail tells who and why",
        Help.REPLAY,
        "Replay it once what ingest stopped at is repaired.",
    ),
    Reason.KEY_MISMATCH: Explained(
        "the record's key is not the envelope's key",
        "a producer that keys records by another field or in another encoding",
        Help.FIX,
        "Mend it by saying which key holds: `--fix _key=...`.",
    ),
    Reason.NO_EVENT_TIME: Explained(
        "the field that tells its event time is null",
        "a field that is not filled in",
        Help.FIX,
        "Mend the field, where another one tells the time.",
    ),
    Reason.UNREADABLE_SCHEMA: Explained(
        "the schema is registered and cannot be used",
        "a schema of another format, of types that the contract's are not read from, or without bounds",
        Help.FIX,
        "Correct the producer's schema; mend its bytes by a function, or discard it.",
    ),
}
"""Every reason."""


def explained(reason: str) -> Explained:
    """Return what a reason means; of one that a newer Headwater wrote, that it is not known."""
    try:
        return EXPLAINED[Reason(reason)]
    except ValueError:
        return Explained(
            "a reason that this version does not know", "", Help.REPLAY, "Upgrade, and look again."
        )
