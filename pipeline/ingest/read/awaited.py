"""Whether a product's topic is still to be made, which is waited for and no failure."""

from __future__ import annotations

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.errors import HeadwaterError
from pipeline.kafka.connect import answering_within, connect_admin
from pipeline.kafka.topics import TopicMissingError, describe_topic
from pipeline.tables.catalog import TableMissingError, load_table
from pipeline.tables.layout import events_table
from pipeline.tables.offsets import committed_offsets

_ANSWER_S = 2.0


def awaits_topic(cell: Cell, product: Product) -> str | None:
    """Return one sentence if the topic does not exist and nothing was ever ingested of it; else None.

    None as well where that cannot be told, as where Kafka does not answer in two seconds: whoever ingests
    waits that out, or says what is wrong.
    """
    topic = product.topic.name
    try:
        with connect_admin(answering_within(cell, _ANSWER_S)) as admin:
            describe_topic(admin, topic)
    except TopicMissingError:
        return None if _was_ingested(cell, product) else f"Topic {topic} does not exist yet."
    except HeadwaterError:
        return None
    return None


def _was_ingested(cell: Cell, product: Product) -> bool:
    try:
        return committed_offsets(load_table(cell, events_table(product.name))) is not None
    except TableMissingError:
        return False
    except HeadwaterError:
        return True
