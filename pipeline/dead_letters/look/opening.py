"""What one dead letter holds, where its schemas can be had."""

from __future__ import annotations

from pipeline.cells import Cell
from pipeline.contract.model import Product
from pipeline.dead_letters.look.letter import Letter
from pipeline.dead_letters.opened import Opened, Opener
from pipeline.dead_letters.read import LetterTables
from pipeline.errors import HeadwaterError
from pipeline.kafka.identity import TopicIdentity
from pipeline.schemas.open import open_registry


def open_letter(cell: Cell, product: Product, tables: LetterTables, letter: Letter) -> Opened:
    """Return what can be read of a dead letter; why nothing can, where the registry is not to be asked."""
    committed = tables.committed
    cluster = "" if committed is None else committed.cluster_id
    topic = TopicIdentity(cluster, letter.topic, letter.topic_id, ())
    try:
        return Opener(product, open_registry(cell), topic).open(letter.record)
    except HeadwaterError as error:
        # All else about it is still to be told.
        return Opened(why=f"it was not read: {error}")
