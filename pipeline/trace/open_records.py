"""Whether a record is the event's, by what it says when it is decoded as ingest does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import HeadwaterError
from pipeline.kafka.identity import TopicIdentity
from pipeline.kafka.records import RawRecord
from pipeline.trace.model import Headers, Match, Place

if TYPE_CHECKING:
    from pipeline.dead_letters.opened import Opened, Opener


class RecordJudge:
    """Judges records of one product's topic. The registry is asked once a schema is needed."""

    def __init__(self, cell: Cell, product: Product, uuid: str, origins: frozenset[Place]) -> None:
        """`origins` are where records of the event stood first, as far as they are known."""
        self._cell = cell
        self._product = product
        self._uuid = uuid
        self._origins = origins
        self._openers: dict[TopicIdentity, Opener] = {}

    def judge(self, record: RawRecord, topic: TopicIdentity) -> Match | None:
        """Return why a record, whose bytes hold what the event's do, is the event's; None if it is not."""
        # What decodes takes as long to load as all else of a trace, and few records come here.
        from pipeline.ingest.transform.origins import origin_of

        origin = origin_of(record, topic)
        first = None if origin is None else Place(topic.topic_id, origin.partition, origin.offset)
        if first in self._origins:
            return Match.ORIGIN
        opened = self._open(record, topic)
        if opened.uuid == self._uuid:
            return Match.DECODED
        # One that is read to the end says another uuid, or none: this one stands in it for something else.
        return None if opened.uuid is not None or opened.whole else Match.BYTES

    def _open(self, record: RawRecord, topic: TopicIdentity) -> Opened:
        from pipeline.dead_letters.opened import Opened, Opener
        from pipeline.schemas.open import open_registry

        try:
            if topic not in self._openers:
                self._openers[topic] = Opener(self._product, open_registry(self._cell), topic)
            return self._openers[topic].open(record)
        except HeadwaterError as error:
            # Where the registry is not to be had, its bytes still tell.
            return Opened(why=str(error))


def headers_of(record: RawRecord) -> Headers:
    """Return what a record's headers say of where it comes from, as events have it."""
    told = {
        name: None if held is None else held.decode(errors="replace")
        for name, held in record.headers
    }
    return Headers(told.get("producer"), told.get("job_id"), told.get("traceparent"))
