"""What mends dead letters: the port, what it is given and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.dead_letters.opened import Opened
from pipeline.errors import TerminalError
from pipeline.kafka.records import RawRecord


class FixInvalidError(TerminalError):
    """What is to mend dead letters cannot be used; nothing was replayed."""


@dataclass(frozen=True)
class Broken:
    """A dead letter as a fix is given it.

    Attributes:
        record: the record's own bytes, key, headers and coordinates.
        reason, detail: why it is a dead letter.
        uuid, key, event_time: as far as the record says them; `event_time` in microseconds since the epoch.
        payload: the fields that could be read, by their writer's schema.
        whole: whether these are all.
    """

    record: RawRecord
    reason: str
    detail: str
    uuid: str | None
    key: str | None
    event_time: int | None
    payload: Mapping[str, Any]
    whole: bool


@dataclass(frozen=True)
class Fixed:
    """What is to go back: a payload by the contract's names, and what stands around it in an envelope."""

    payload: Mapping[str, Any]
    uuid: str | None = None
    key: str | None = None
    event_time: int | None = None


class Fix(Protocol):
    """Mends dead letters."""

    @property
    def text(self) -> str:
        """What the audit keeps of it."""

    def apply(self, letters: Sequence[Broken]) -> Sequence[Fixed | str]:
        """Return for each what goes back, or why nothing does.

        Raises:
            FixInvalidError: it can mend none of them.
        """


def broken(record: RawRecord, reason: str, detail: str, opened: Opened) -> Broken:
    """Return what a fix is given of a dead letter."""
    return Broken(
        record=record,
        reason=reason,
        detail=detail,
        uuid=opened.uuid,
        key=opened.key,
        event_time=opened.event_time,
        payload=opened.fields,
        whole=opened.whole,
    )
